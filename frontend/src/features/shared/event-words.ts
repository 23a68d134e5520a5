import { messages } from '@/lib/i18n'

/** What the names of events mean. */
export const eventWords = messages<{ types: Readonly<Record<string, string>>; event: (position: string) => string }>(
  {
    event: (position) => `Event ${position}`,
    types: {
      AccountOpened: 'Account opened', FundsToppedUp: 'Topped up', FundsGranted: 'Money granted', GrantExpired: 'Grant expired',
      TopUpRefunded: 'Top-up refunded', AdjustmentPosted: 'Balance corrected', KeyIssued: 'Key issued', KeyLimitsChanged: 'Key limits changed',
      KeyRevoked: 'Key revoked', FundsReserved: 'Money set aside', ReservationSettled: 'Charged', ReservationReleased: 'Released without a charge',
      ReservationExpired: 'Expired without a charge', ChargeCorrected: 'Charge corrected', LateBillBooked: 'Late bill booked', CallAbandoned: 'Call abandoned',
      AccountSuspended: 'Account suspended', AccountReinstated: 'Account reinstated', SpendLimitsChanged: 'Limits changed',
      PlanAssigned: 'Plan assigned', OwnLimitsChanged: 'Owner’s limits changed', PlanRemoved: 'Plan removed', SpendWarningRaised: 'Spending warning',
      MasterAccountRegistered: 'Master account registered', CreditsPurchased: 'Credits purchased', CreditsAdjusted: 'Credits reconciled',
      UpstreamKeyRotated: 'Upstream key replaced', MasterAccountDisabled: 'Master account disabled', MasterAccountEnabled: 'Master account enabled',
      PricesPublished: 'Price list published', ModelPriced: 'List price changed', ModelRetired: 'Model retired', SaleRatioSet: 'Sale ratio set',
      PlanDefined: 'Plan defined', FairnessPolicySet: 'Fairness policy set',
    },
  },
  {
    event: (position) => `Событие ${position}`,
    types: {
      AccountOpened: 'Аккаунт открыт', FundsToppedUp: 'Пополнение', FundsGranted: 'Начислен бонус', GrantExpired: 'Бонус сгорел',
      TopUpRefunded: 'Пополнение возвращено', AdjustmentPosted: 'Баланс исправлен', KeyIssued: 'Ключ выпущен', KeyLimitsChanged: 'Лимиты ключа изменены',
      KeyRevoked: 'Ключ отозван', FundsReserved: 'Деньги зарезервированы', ReservationSettled: 'Списано', ReservationReleased: 'Резерв снят без списания',
      ReservationExpired: 'Резерв истёк без списания', ChargeCorrected: 'Списание исправлено', LateBillBooked: 'Проведён поздний счёт', CallAbandoned: 'Вызов прерван',
      AccountSuspended: 'Аккаунт приостановлен', AccountReinstated: 'Аккаунт возобновлён', SpendLimitsChanged: 'Лимиты изменены',
      PlanAssigned: 'Тариф назначен', OwnLimitsChanged: 'Лимиты владельца изменены', PlanRemoved: 'Тариф снят', SpendWarningRaised: 'Предупреждение о расходах',
      MasterAccountRegistered: 'Мастер-аккаунт добавлен', CreditsPurchased: 'Куплены кредиты', CreditsAdjusted: 'Кредиты сверены',
      UpstreamKeyRotated: 'Ключ поставщика заменён', MasterAccountDisabled: 'Мастер-аккаунт выключен', MasterAccountEnabled: 'Мастер-аккаунт включён',
      PricesPublished: 'Опубликован прайс-лист', ModelPriced: 'Изменена цена', ModelRetired: 'Модель снята', SaleRatioSet: 'Задан коэффициент',
      PlanDefined: 'Задан тариф', FairnessPolicySet: 'Заданы правила честности',
    },
  },
)
