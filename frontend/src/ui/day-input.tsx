/** A day, by the browser's own calendar. */
export function DayInput({ label, value, onChange }: { label: string; value: string | undefined; onChange: (day: string) => void }) {
  return (
    <label className="flex items-center gap-2 text-muted">
      {label}
      <input
        type="date"
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value)}
        className="h-9 rounded-md border border-edge bg-surface px-2.5 text-ink"
      />
    </label>
  )
}
