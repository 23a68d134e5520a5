import { plain } from '@/lib/decimal'
import { type Money, isMoney } from '@/lib/money'

/** What comes out of a streamed answer, piece by piece. */
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'usage'; prompt: number; completion: number; cost: Money | null }
  | { kind: 'error'; message: string }

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** The cost as it stands in the text: as a JavaScript number it would no longer be the amount that was charged. */
function costIn(json: string): Money | null {
  const written = /"cost"\s*:\s*(\d[\d.eE+-]*)/.exec(json)?.[1]
  const text = written === undefined ? null : plain(written)
  return text !== null && isMoney(text) ? text : null
}

/** One event of the stream. */
export function piecesOf(data: string): Piece[] {
  if (data === '[DONE]') return []
  let event: Record<string, unknown>
  try {
    event = record(JSON.parse(data))
  } catch {
    return []
  }
  const pieces: Piece[] = []
  const choices = Array.isArray(event['choices']) ? event['choices'] : []
  const { content } = record(record(choices[0])['delta'])
  if (typeof content === 'string' && content !== '') pieces.push({ kind: 'text', text: content })
  if (event['error'] !== undefined) {
    const { message } = record(event['error'])
    pieces.push({ kind: 'error', message: typeof message === 'string' ? message : '' })
  }
  if (event['usage'] !== undefined && event['usage'] !== null) {
    const { prompt_tokens: prompt, completion_tokens: completion } = record(event['usage'])
    pieces.push({ kind: 'usage', prompt: count(prompt), completion: count(completion), cost: costIn(data) })
  }
  return pieces
}

/** The data of each whole event in what has arrived, and what is left over for later. */
export function cut(buffer: string): { events: string[]; rest: string } {
  const blocks = buffer.split(/\r?\n\r?\n/)
  const rest = blocks.pop() ?? ''
  const events = blocks.flatMap((block) => {
    const lines = block.split(/\r?\n/).filter((line) => line.startsWith('data:'))
    return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')]
  })
  return { events, rest }
}

/** Reads an answer to its end. */
export async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Piece> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const { events, rest } = cut(buffer + decoder.decode(value, { stream: true }))
    buffer = rest
    for (const event of events) yield* piecesOf(event)
  }
}
