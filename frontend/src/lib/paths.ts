/** Where to go after signing in: a path of this application, whatever somebody put into the link. */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string' || !/^\/(?![/\\])/.test(next)) return '/'
  return next.startsWith('/login') ? '/' : next
}

/** The token behind `#token=` of a mailed link: no server and no log sees what stands there. */
export function tokenInHash(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token')
  return token === null || token === '' ? null : token
}
