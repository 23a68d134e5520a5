/** What this browser remembers of its reader: a taste, never a secret. Browsers may refuse to remember. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`tollgate.${name}`)
  } catch {
    return null
  }
}

/** Tells what another page of this browser has come to remember. */
export function onRemembered(name: string, tell: (value: string | null) => void): void {
  globalThis.addEventListener?.('storage', (event) => {
    if (event.key === `tollgate.${name}`) tell(event.newValue)
  })
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`tollgate.${name}`)
    else localStorage.setItem(`tollgate.${name}`, value)
  } catch {
    // Then it is forgotten with the page.
  }
}
