import { messages } from '@/lib/i18n'

/** What stands in the sidebar of operators and auditors. */
export const operatorMessages = messages(
  {
    operator: 'Operator',
    books: 'Books',
    reader: 'Account',
    profit: 'Profit',
    customers: 'Customers',
    masters: 'Master accounts',
    prices: 'Prices',
    live: 'Live',
    ledger: 'Ledger',
    balance: 'Trial balance',
    settings: 'Settings',
  },
  {
    operator: 'Оператор',
    books: 'Книги',
    reader: 'Кабинет',
    profit: 'Прибыль',
    customers: 'Клиенты',
    masters: 'Мастер-аккаунты',
    prices: 'Цены',
    live: 'Сейчас',
    ledger: 'Журнал',
    balance: 'Оборотная ведомость',
    settings: 'Настройки',
  },
)
