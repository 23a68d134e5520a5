/** A day, by the browser's own calendar. */
export function DayInput({ label, value, onChange }: { label: string; value: string | undefined; onChange: (day: string) => void }) {
  return (
    <label className="flex items-center gap-2 text-muted max-sm:min-w-36 max-sm:flex-1 max-sm:gap-1.5">
      {label}
      <input
        type="date"
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value)}
        className="h-9 rounded-md border border-edge bg-surface px-2.5 text-ink hover:border-faint max-sm:h-10 max-sm:w-full max-sm:min-w-0 max-sm:px-1.5"
      />
    </label>
  )
}
