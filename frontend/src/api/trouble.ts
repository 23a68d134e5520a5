import type { UseQueryResult } from '@tanstack/react-query'
import { messages, useMessages } from '@/lib/i18n'
import { ApiError, isTransient } from './error'

const troubles = messages(
  {
    unreachable: 'The gateway can’t be reached',
    unreachableAdvice: 'Check your connection. This page tries again by itself.',
    busy: 'The gateway is busy',
    busyAdvice: (seconds: number) => `Wait ${seconds} s and try again.`,
    fault: 'Something went wrong on our side',
    faultAdvice: 'Try again. If it happens again, send us the request number below.',
    forbidden: 'You may not see this',
    forbiddenAdvice: 'Sign in with an account that may, or ask the operator.',
    missing: 'This does not exist',
    missingAdvice: 'It may have been removed, or the link is wrong.',
    refused: 'That did not work',
    broken: 'This page stumbled',
    brokenAdvice: 'Reload it. What you have entered is not lost on the server.',
  },
  {
    unreachable: 'Шлюз недоступен',
    unreachableAdvice: 'Проверьте соединение. Страница повторит попытку сама.',
    busy: 'Шлюз перегружен',
    busyAdvice: (seconds: number) => `Подождите ${seconds} с и повторите.`,
    fault: 'У нас что-то сломалось',
    faultAdvice: 'Повторите попытку. Если не поможет, пришлите нам номер запроса, он ниже.',
    forbidden: 'Доступа нет',
    forbiddenAdvice: 'Войдите под учётной записью с нужными правами или обратитесь к оператору.',
    missing: 'Такой записи нет',
    missingAdvice: 'Возможно, её удалили или ссылка неверна.',
    refused: 'Не получилось',
    broken: 'Страница сломалась',
    brokenAdvice: 'Обновите её.',
  },
)

export type TroubleText = { title: string; advice: string; requestId: string | null; again: boolean }

/** Turns what was thrown into words: what happened, and what to do next. */
export function useTroubleText(): (error: unknown) => TroubleText {
  const t = useMessages(troubles)
  return (error) => {
    if (!(error instanceof ApiError)) return { title: t.broken, advice: t.brokenAdvice, requestId: null, again: true }
    const { requestId, message, status } = error
    const say = (title: string, advice: string): TroubleText => ({ title, advice, requestId, again: isTransient(error) })
    if (status === 0) return say(t.unreachable, t.unreachableAdvice)
    if (status === 429 || status === 503) return say(t.busy, t.busyAdvice(error.retryAfterSeconds ?? 5))
    if (status >= 500) return say(t.fault, t.faultAdvice)
    if (status === 403) return say(t.forbidden, message === '' ? t.forbiddenAdvice : sentence(message))
    if (status === 404) return say(t.missing, t.missingAdvice)
    return say(t.refused, sentence(message))
  }
}

/** The gateway's details begin small, because they are parts of longer lines in logs. */
export function sentence(text: string): string {
  if (text === '') return ''
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

/** A query as the building blocks for lists take it. */
export function useAsked<T, U = T>(query: UseQueryResult<T>, pick: (data: T) => U) {
  const describe = useTroubleText()
  return {
    data: query.data === undefined ? undefined : pick(query.data),
    isPending: query.isPending,
    trouble: query.error === null ? null : describe(query.error),
    retry: () => void query.refetch(),
  }
}
