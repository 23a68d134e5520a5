import { messages } from '@/lib/i18n'

/** What the gateway's words about requests mean to a customer. */
export const requestWords = messages(
  {
    model: 'Model',
    time: 'Time',
    tokens: 'Tokens',
    charge: 'Charge',
    state: 'State',
    notCharged: 'not charged',
    estimate: 'estimate',
    inOut: (prompt: string, completion: string) => `${prompt} in, ${completion} out`,
    states: {
      settled: 'Charged',
      released: 'Not charged',
      expired: 'Not charged',
      corrected: 'Corrected',
      billed_late: 'Charged late',
    },
    open: (model: string) => `Request to ${model}`,
  },
  {
    model: 'Модель',
    time: 'Время',
    tokens: 'Токены',
    charge: 'Списано',
    state: 'Состояние',
    notCharged: 'без списания',
    estimate: 'оценка',
    inOut: (prompt: string, completion: string) => `${prompt} на входе, ${completion} на выходе`,
    states: {
      settled: 'Списано',
      released: 'Без списания',
      expired: 'Без списания',
      corrected: 'Исправлено',
      billed_late: 'Списано позже',
    },
    open: (model: string) => `Запрос к ${model}`,
  },
)
