import { send } from './client'
import { ApiError } from './error'

/** Fetches a file as whoever is signed in and hands it to the browser: no token ever stands in a URL. */
export async function download(path: string, query: Record<string, string | undefined>, name: string): Promise<void> {
  const url = new URL(path, location.origin)
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value)
  let response: Response
  try {
    response = await send(new Request(url))
  } catch {
    throw new ApiError(0, {})
  }
  if (!response.ok) {
    const problem: unknown = await response.json().catch(() => null)
    const detail = typeof problem === 'object' && problem !== null && 'detail' in problem ? String(problem.detail) : ''
    throw new ApiError(response.status, { detail }, response.headers)
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
