-- Whoever is erased takes along what was noted about them, whatever id the remark itself has.
ALTER TABLE remarks ADD COLUMN about text;
CREATE INDEX remarks_about_idx ON remarks (about) WHERE about IS NOT NULL;
COMMENT ON COLUMN remarks.about IS 'The account that the remark is about, if it is about one.';
