import { onRemembered, recall, remember } from './kept'
import { store, useStore } from './store'

export type Language = 'en' | 'ru'

/** What a part of the dashboard says, in every language. */
export type Catalogue<T> = Readonly<Record<Language, T>>

/** A catalogue: whatever English says, Russian has to say too, or the build stops. */
export function messages<T>(en: T, ru: NoInfer<T>): Catalogue<T> {
  return { en, ru }
}

function isLanguage(text: string | null): text is Language {
  return text === 'en' || text === 'ru'
}

function preferred(): Language {
  const kept = recall('language')
  if (isLanguage(kept)) return kept
  const asked = typeof navigator === 'undefined' ? [] : navigator.languages
  const known = asked.map((tag) => tag.slice(0, 2)).find((tag) => isLanguage(tag))
  return known === 'ru' ? 'ru' : 'en'
}

const language = store<Language>(preferred())

export function currentLanguage(): Language {
  return language.get()
}

export function setLanguage(next: Language): void {
  remember('language', next)
  document.documentElement.lang = next
  language.set(next)
}

onRemembered('language', (next) => {
  if (!isLanguage(next)) return
  document.documentElement.lang = next
  language.set(next)
})

export function useLanguage(): Language {
  return useStore(language)
}

/** The messages of a catalogue in the reader's language. */
export function useMessages<T>(catalogue: Catalogue<T>): T {
  return catalogue[useStore(language)]
}

const rules = { en: new Intl.PluralRules('en'), ru: new Intl.PluralRules('ru') }

/** English: `one` for 1, else `many`. */
export function en(n: number, one: string, many: string): string {
  return rules.en.select(n) === 'one' ? one : many
}

/** Russian: 1 запрос, 2 запроса, 5 запросов. */
export function ru(n: number, one: string, few: string, many: string): string {
  const form = rules.ru.select(n)
  if (form === 'one') return one
  return form === 'few' ? few : many
}
