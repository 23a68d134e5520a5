import { type Language, setLanguage, useLanguage, useMessages } from '@/lib/i18n'
import { type Theme, setTheme, useTheme } from '@/lib/theme'
import type { IconName } from '@/ui/icon'
import { MenuChoice } from '@/ui/menu'
import { appMessages } from './messages'

export function ThemeChoice() {
  const t = useMessages(appMessages)
  const theme = useTheme()
  const options: ReadonlyArray<{ value: Theme; label: string; icon: IconName }> = [
    { value: 'system', label: t.system, icon: 'screen' },
    { value: 'light', label: t.light, icon: 'sun' },
    { value: 'dark', label: t.dark, icon: 'moon' },
  ]
  return <MenuChoice label={t.theme} value={theme} options={options} onChange={setTheme} />
}

const LANGUAGES: ReadonlyArray<{ value: Language; label: string }> = [
  { value: 'en', label: 'English' },
  { value: 'ru', label: 'Русский' },
]

export function LanguageChoice() {
  const t = useMessages(appMessages)
  return <MenuChoice label={t.language} value={useLanguage()} options={LANGUAGES} onChange={setLanguage} />
}
