/**
 * Read your own writes: every command answers with the position of its event, and what is read afterwards asks to be at
 * least as new. So a page shows the state after the command, or waits; it never shows the one before.
 */
let written = 0

export function noteWritten(answer: { position?: number }): void {
  written = Math.max(written, answer.position ?? 0)
}

/** The query parameter of whatever is read. */
export function atLeast(): { at_least?: number } {
  return written === 0 ? {} : { at_least: written }
}
