import { useMutation } from '@tanstack/react-query'
import { download } from '@/api/download'
import { useTroubleText } from '@/api/trouble'
import { messages, useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { toast } from '@/ui/toast'

const words = messages({ csv: 'Download CSV' }, { csv: 'Скачать CSV' })

/** Downloads a table. */
export function CsvButton({ path, query, name }: { path: string; query: Record<string, string | undefined>; name: string }) {
  const t = useMessages(words)
  const describe = useTroubleText()
  const csv = useMutation({
    mutationFn: () => download(path, query, name),
    onError: (error) => {
      const { title, advice } = describe(error)
      toast(`${title}. ${advice}`, 'bad')
    },
  })
  return (
    <Button icon="download" busy={csv.isPending} onClick={() => csv.mutate()}>
      {t.csv}
    </Button>
  )
}
