import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Card } from '@/ui/card'
import { uiMessages } from '@/ui/messages'
import { type Column, Table } from '@/ui/table'

type Pages<Row> = UseInfiniteQueryResult<InfiniteData<{ data: Row[] }, unknown>>

/** A list that comes in pages, and the button for the next one. */
export function Paged<Row>({ query, label, columns, rowKey, empty, onRow }: {
  query: Pages<Row>
  label: string
  columns: ReadonlyArray<Column<Row>>
  rowKey: (row: Row) => string
  empty: ReactNode
  onRow?: (row: Row) => void
}) {
  const describe = useTroubleText()
  const rows = {
    data: query.data?.pages.flatMap((page) => page.data),
    isPending: query.isPending,
    trouble: query.error === null ? null : describe(query.error),
    retry: () => void query.refetch(),
  }
  return (
    <Card flush>
      <Table label={label} rows={rows} columns={columns} rowKey={rowKey} empty={empty} {...(onRow !== undefined && { onRow })} />
      <More query={query} />
    </Card>
  )
}

/** The button for the next page, while there is one. */
export function More({ query }: { query: Pick<Pages<unknown>, 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'> }) {
  const ui = useMessages(uiMessages)
  if (!query.hasNextPage) return null
  return (
    <div className="border-t border-line p-3 text-center">
      <Button small busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {ui.loadMore}
      </Button>
    </div>
  )
}
