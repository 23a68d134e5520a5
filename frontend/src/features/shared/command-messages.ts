import { messages } from '@/lib/i18n'

export const commandMessages = messages(
  {
    needed: 'Fill this in.',
    badAmount: 'Enter an amount above zero, such as 25 or 0.5.',
    badChange: 'Enter an amount other than zero; a minus takes away.',
    badRatio: 'Enter a ratio such as 1.2.',
    badCount: 'Enter a whole number.',
    reason: 'Reason',
    reasonHint: 'Stands beside the books and can be erased.',
    done: 'Done',
    made: (position: string) => `Event ${position} is in the books. This page already shows it.`,
    event: 'Event',
    id: 'Id',
    before: 'This was already done by the same command before.',
    show: 'Show the event',
  },
  {
    needed: 'Заполните это поле.',
    badAmount: 'Введите сумму больше нуля, например 25 или 0,5.',
    badChange: 'Введите сумму, отличную от нуля; минус уменьшает.',
    badRatio: 'Введите коэффициент, например 1,2.',
    badCount: 'Введите целое число.',
    reason: 'Причина',
    reasonHint: 'Хранится рядом с книгами и может быть стёрта.',
    done: 'Готово',
    made: (position: string) => `Событие ${position} внесено в книги. Страница его уже показывает.`,
    event: 'Событие',
    id: 'Идентификатор',
    before: 'Эта же команда уже была выполнена раньше.',
    show: 'Показать событие',
  },
)
