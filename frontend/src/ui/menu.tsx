import * as Radix from '@radix-ui/react-dropdown-menu'
import type { ReactNode } from 'react'
import { Icon, type IconName } from './icon'

/** A button that opens a list of actions. */
export function Menu({ trigger, children }: { trigger: ReactNode; children: ReactNode }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="end"
          sideOffset={6}
          className="z-50 min-w-52 rounded-lg border border-line bg-surface p-1 shadow-float"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

const ITEM =
  'flex h-8 max-sm:h-10 cursor-pointer items-center gap-2.5 rounded-md px-2.5 outline-none select-none ' +
  'data-highlighted:bg-sunken data-disabled:pointer-events-none data-disabled:opacity-50'

type ItemProps = { icon?: IconName; onSelect: () => void; danger?: boolean; children: ReactNode }

export function MenuItem({ icon, onSelect, danger = false, children }: ItemProps) {
  return (
    <Radix.Item onSelect={onSelect} className={`${ITEM} ${danger ? 'text-bad' : ''}`}>
      {icon !== undefined && <Icon name={icon} className="size-4" />}
      {children}
    </Radix.Item>
  )
}

type ChoiceProps<Value extends string> = {
  label: string
  value: Value
  options: ReadonlyArray<{ value: Value; label: string; icon?: IconName }>
  onChange: (value: Value) => void
}

export function MenuChoice<Value extends string>({ label, value, options, onChange }: ChoiceProps<Value>) {
  return (
    <Radix.RadioGroup value={value}>
      <Radix.Label className="px-2.5 pt-2 pb-1 text-2xs font-medium text-faint">{label}</Radix.Label>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} onSelect={() => onChange(option.value)} className={ITEM}>
          {option.icon !== undefined && <Icon name={option.icon} className="size-4 text-muted" />}
          <span className="flex-1">{option.label}</span>
          <Radix.ItemIndicator>
            <Icon name="check" className="size-4" />
          </Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  )
}

export function MenuLine() {
  return <Radix.Separator className="my-1 h-px bg-line" />
}

export function MenuNote({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2.5 pt-1.5 pb-2">{children}</Radix.Label>
}
