import { CopyIcon } from './copy'

/** Text for a terminal or an editor, with a button that copies it. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className="relative rounded-lg border border-line bg-sunken">
      <pre className="overflow-x-auto p-4 pr-12 font-mono text-[0.8125rem] leading-5" tabIndex={0} role="region" aria-label={label}>
        <code>{code}</code>
      </pre>
      <div className="absolute top-2 right-2 rounded-md bg-sunken">
        <CopyIcon text={code} />
      </div>
    </div>
  )
}
