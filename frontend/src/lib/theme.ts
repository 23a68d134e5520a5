import { onRemembered, recall, remember } from './kept'
import { store, useStore } from './store'

export type Theme = 'system' | 'light' | 'dark'

function kept(): Theme {
  const value = recall('theme')
  return value === 'light' || value === 'dark' ? value : 'system'
}

const theme = store<Theme>(kept())

export function setTheme(next: Theme): void {
  remember('theme', next === 'system' ? null : next)
  theme.set(next)
  applyTheme()
}

export function useTheme(): Theme {
  return useStore(theme)
}

/** Tells the style sheet. */
export function applyTheme(): void {
  const chosen = theme.get()
  const dark = chosen === 'dark' || (chosen === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
}

export function followSystemTheme(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme)
  onRemembered('theme', () => {
    theme.set(kept())
    applyTheme()
  })
}
