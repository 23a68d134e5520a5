import { expect, it } from 'vitest'
import { cut, pieces, piecesOf } from './stream'

it('cuts events at empty lines and keeps what is not whole', () => {
  expect(cut(': hello\n\ndata: {"a":1}\n\ndata: {"b"')).toEqual({ events: ['{"a":1}'], rest: 'data: {"b"' })
  expect(cut('data: a\r\ndata: b\r\n\r\n')).toEqual({ events: ['a\nb'], rest: '' })
})

it('takes the cost from the text and not from a number', () => {
  const usage = '{"choices":[],"usage":{"prompt_tokens":13,"completion_tokens":62,"cost":3.132e-05}}'
  expect(piecesOf(usage)).toEqual([{ kind: 'usage', prompt: 13, completion: 62, cost: '0.00003132' }])
  const long = '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":12345678901234.123456789012}}'
  expect(piecesOf(long)).toMatchObject([{ cost: '12345678901234.123456789012' }])
})

it('says what an error in the midst of an answer says', () => {
  expect(piecesOf('{"error":{"message":"broken"},"choices":[]}')).toEqual([{ kind: 'error', message: 'broken' }])
  expect(piecesOf('[DONE]')).toEqual([])
  expect(piecesOf('not json')).toEqual([])
})

it('puts an answer together wherever the network cut it', async () => {
  const text = 'data: {"choices":[{"delta":{"content":"при"}}]}\n\ndata: {"choices":[{"delta":{"content":"вет"}}]}\n\ndata: [DONE]\n\n'
  const bytes = new TextEncoder().encode(text)
  for (const size of [1, 7, 50, bytes.length]) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
        controller.close()
      },
    })
    let said = ''
    for await (const piece of pieces(body)) if (piece.kind === 'text') said += piece.text
    expect(said).toBe('привет')
  }
})
