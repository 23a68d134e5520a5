import type { components } from './schema'

type Problem = components['schemas']['ProblemBody']

/** A refusal of the gateway, or the news that it can't be reached (status 0). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly param: string | null
  readonly requestId: string | null
  readonly retryAfterSeconds: number | null

  constructor(status: number, problem: Partial<Problem>, headers?: Headers) {
    super(problem.detail ?? '')
    this.status = status
    this.code = problem.code ?? (status === 0 ? 'unreachable' : 'error')
    this.param = problem.param ?? null
    this.requestId = headers?.get('x-request-id') ?? null
    const wait = Number(headers?.get('retry-after') ?? Number.NaN)
    this.retryAfterSeconds = Number.isFinite(wait) ? wait : null
  }
}

type Answer<T> = { data?: T; error?: unknown; response: Response }

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value
}

async function settle<T>(asked: Promise<Answer<T>>): Promise<Answer<T>> {
  let answer: Answer<T>
  try {
    answer = await asked
  } catch (cause) {
    if (cause instanceof ApiError) throw cause
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiError(0, {})
  }
  const { error, response } = answer
  if (!response.ok) throw new ApiError(response.status, isProblem(error) ? error : {}, response.headers)
  return answer
}

/** What was asked for, or the one error that everything here throws. */
export async function unwrap<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, response } = await settle(asked)
  if (data === undefined) throw new ApiError(response.status, {}, response.headers)
  return data
}

/** The same for what answers with nothing. */
export async function done(asked: Promise<Answer<unknown>>): Promise<void> {
  await settle(asked)
}

/** For queries: what may succeed if it is asked again. */
export function isTransient(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500)
}
