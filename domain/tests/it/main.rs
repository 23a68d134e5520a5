//! The domain against real inputs: public price lists and recorded answers.

mod support;
mod usage_cases;
