import { useEffect, useRef, useState } from 'react'
import { Icon } from './icon'

type Props = { label: string; value: string; onChange: (value: string) => void; className?: string }

/** What is typed is searched for when the typing pauses. */
export function SearchBox({ label, value, onChange, className }: Props) {
  const [typed, setTyped] = useState(value)
  // What was asked for comes back as the value, maybe after more was typed: that must not be undone.
  const asked = useRef(value)
  useEffect(() => {
    if (value === asked.current) return
    asked.current = value
    setTyped(value)
  }, [value])
  useEffect(() => {
    if (typed === value) return
    const timer = setTimeout(() => {
      asked.current = typed
      onChange(typed)
    }, 250)
    return () => clearTimeout(timer)
  }, [typed, value, onChange])
  return (
    <div className={`relative ${className ?? ''}`}>
      <Icon name="search" className="pointer-events-none absolute inset-y-0 left-2.5 my-auto size-4 text-muted" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        className="h-9 w-full rounded-md border max-sm:h-10 max-sm:text-base border-edge bg-surface pr-3 pl-8 placeholder:text-faint hover:border-faint"
      />
    </div>
  )
}
