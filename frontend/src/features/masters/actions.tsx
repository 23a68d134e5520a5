import { useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { Button, IconButton } from '@/ui/button'
import { Menu, MenuItem, MenuLine } from '@/ui/menu'
import type { Master } from '../shared/clients'
import { CommandDialog } from '../shared/command'
import { commandMessages } from '../shared/command-messages'
import { disable, enable, purchase, reconcile, register, replaceKey } from './commands'
import { masterMessages } from './messages'

function useReason() {
  const words = useMessages(commandMessages)
  return { name: 'reason', label: words.reason, kind: 'area' as const, hint: words.reasonHint }
}

export function RegisterDialog({ onClose }: { onClose: () => void }) {
  const t = useMessages(masterMessages)
  const reason = useReason()
  return (
    <CommandDialog
      title={t.registerTitle}
      action={t.register}
      onClose={onClose}
      fields={[
        { name: 'label', label: t.label, kind: 'text' },
        { name: 'provider', label: t.provider, kind: 'text', initial: 'openrouter' },
        { name: 'base_url', label: t.baseUrl, kind: 'text', initial: 'https://openrouter.ai/api/v1' },
        { name: 'api_key', label: t.apiKey, kind: 'secret', hint: t.apiKeyHint },
        reason,
      ]}
      run={(v, key) => {
        const [label, provider, base_url] = [v.text('label'), v.text('provider'), v.text('base_url')]
        return register(key, { label, provider, base_url, api_key: v.text('api_key'), reason: v.text('reason') })
      }}
    />
  )
}

type Action = 'buy' | 'replace' | 'reconcile' | 'enable' | 'disable'

export function MasterActions({ master, name }: { master: Master; name: string }) {
  const t = useMessages(masterMessages)
  const [open, setOpen] = useState<Action | null>(null)
  return (
    <>
      <Button small kind="primary" icon="plus" onClick={() => setOpen('buy')}>
        {t.buy}
      </Button>
      <Menu trigger={<IconButton icon="dots" label={t.actions(name)} />}>
        <MenuItem onSelect={() => setOpen('replace')}>{t.replace}</MenuItem>
        <MenuItem onSelect={() => setOpen('reconcile')}>{t.reconcile}</MenuItem>
        <MenuLine />
        {master.status === 'disabled' ? (
          <MenuItem onSelect={() => setOpen('enable')}>{t.enable}</MenuItem>
        ) : (
          <MenuItem danger onSelect={() => setOpen('disable')}>
            {t.disable}
          </MenuItem>
        )}
      </Menu>
      {open !== null && <MasterDialog action={open} id={master.id} name={name} onClose={() => setOpen(null)} />}
    </>
  )
}

function MasterDialog({ action, id, name, onClose }: { action: Action; id: string; name: string; onClose: () => void }) {
  const t = useMessages(masterMessages)
  const reason = useReason()
  switch (action) {
    case 'buy':
      return (
        <CommandDialog
          title={t.buyTitle(name)}
          action={t.buy}
          onClose={onClose}
          fields={[
            { name: 'credits', label: t.credits, kind: 'money' },
            { name: 'paid', label: t.paidFor, kind: 'fee' },
            { name: 'fee', label: t.fee, kind: 'fee', optional: true },
            { name: 'reference', label: t.reference, kind: 'text', hint: t.referenceHint },
          ]}
          run={(v, key) => {
            const fee = v.maybeMoney('fee')
            const body = { credits_usd: v.money('credits'), paid_usd: v.money('paid'), reference: v.text('reference') }
            return purchase(id, key, { ...body, ...(fee !== null && { fee_usd: fee }) })
          }}
        />
      )
    case 'replace':
      return (
        <CommandDialog
          title={`${t.replace}: ${name}`}
          action={t.replace}
          onClose={onClose}
          fields={[{ name: 'api_key', label: t.newKey, kind: 'secret', hint: t.apiKeyHint }, reason]}
          run={(v, key) => replaceKey(id, key, { api_key: v.text('api_key'), reason: v.text('reason') })}
        />
      )
    case 'reconcile':
      return (
        <CommandDialog
          title={`${t.reconcile}: ${name}`}
          description={t.reconcileText}
          action={t.reconcile}
          onClose={onClose}
          fields={[
            { name: 'credits', label: t.difference, kind: 'change', hint: t.differenceHint },
            { name: 'value', label: t.value, kind: 'change', optional: true },
            reason,
          ]}
          run={(v, key) => {
            const value = v.maybeMoney('value')
            return reconcile(id, key, { credits_usd: v.money('credits'), reason: v.text('reason'), ...(value !== null && { value_usd: value }) })
          }}
        />
      )
    case 'enable':
    case 'disable':
      return (
        <CommandDialog
          title={`${t[action]}: ${name}`}
          {...(action === 'disable' && { description: t.disableText })}
          action={t[action]}
          danger={action === 'disable'}
          onClose={onClose}
          fields={[reason]}
          run={(v, key) => (action === 'enable' ? enable : disable)(id, key, v.text('reason'))}
        />
      )
  }
}
