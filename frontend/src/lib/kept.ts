/** What this browser remembers of its reader: a taste, never a secret. Browsers may refuse to remember. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`tollgate.${name}`)
  } catch {
    return null
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`tollgate.${name}`)
    else localStorage.setItem(`tollgate.${name}`, value)
  } catch {
    // Then it is forgotten with the page.
  }
}
