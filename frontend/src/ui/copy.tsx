import { useEffect, useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { Button, IconButton } from './button'
import { uiMessages } from './messages'

function useCopy(text: string) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_600)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => {
    put(text).then(setCopied, () => setCopied(false))
  }
  return { copied, copy }
}

/** Browsers have a clipboard only on pages that came over https or from this machine. */
async function put(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text)
    return true
  }
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}

export function CopyIcon({ text, label }: { text: string; label?: string }) {
  const t = useMessages(uiMessages)
  const { copied, copy } = useCopy(text)
  return <IconButton icon={copied ? 'check' : 'copy'} label={copied ? t.copied : (label ?? t.copy)} onClick={copy} className="size-7 max-sm:size-9" />
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const t = useMessages(uiMessages)
  const { copied, copy } = useCopy(text)
  return (
    <Button small icon={copied ? 'check' : 'copy'} onClick={copy} aria-live="polite">
      {copied ? t.copied : (label ?? t.copy)}
    </Button>
  )
}

/** An id or another text for machines, cut in the middle of a narrow place, with a button that copies it. */
export function Copyable({ text, short = false }: { text: string; short?: boolean }) {
  const shown = short && text.length > 18 ? `${text.slice(0, 9)}…${text.slice(-6)}` : text
  return (
    <span className="-my-1 max-sm:-my-2 inline-flex max-w-full items-center gap-1">
      <code className="min-w-0 truncate font-mono text-[0.8125rem]" title={text}>
        {shown}
      </code>
      <CopyIcon text={text} />
    </span>
  )
}
