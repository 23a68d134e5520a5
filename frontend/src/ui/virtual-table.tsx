import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { classes } from './classes'
import { Icon } from './icon'
import { uiMessages } from './messages'
import type { Sorting } from './table'

export type WideColumn<Row> = {
  key: string
  head: string
  cell: (row: Row) => ReactNode
  /** A width class; without one the column takes what is left. */
  width?: string
  right?: boolean
  from?: 'sm' | 'md' | 'lg' | 'xl'
  sortable?: boolean
}

type Props<Row> = {
  label: string
  rows: readonly Row[]
  columns: ReadonlyArray<WideColumn<Row>>
  rowKey: (row: Row) => string
  onRow?: (row: Row) => void
  /** Called when the end comes into sight. */
  onEnd?: () => void
  sorting?: Sorting
  onSort?: (by: string) => void
}

const ROW_HEIGHT = 48
const FROM = { sm: 'max-sm:hidden', md: 'max-md:hidden', lg: 'max-lg:hidden', xl: 'max-xl:hidden' }

/** A table of any length: only the rows in sight exist, and the page scrolls as a whole. */
export function VirtualTable<Row>({ label, rows, columns, rowKey, onRow, onEnd, sorting, onSort }: Props<Row>) {
  const body = useRef<HTMLDivElement>(null)
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => {
    setOffset((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY)
  }, [])
  // The same function while the rows are the same: with another one every place is measured again, at each scroll.
  const getItemKey = useCallback(
    (index: number) => {
      const row = rows[index]
      return row === undefined ? index : rowKey(row)
    },
    [rows, rowKey],
  )
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin: offset,
    getItemKey,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 10) onEnd?.()
  }, [last, rows.length, onEnd])
  return (
    <div role="table" aria-label={label} aria-rowcount={rows.length + 1} className="nums">
      <div role="rowgroup" className="sticky top-13 z-10 rounded-t-xl border-b border-line bg-surface">
        <div role="row" aria-rowindex={1} className="flex h-9 items-center px-2 sm:px-3">
          {columns.map((column) => (
            <Head key={column.key} column={column} sorting={sorting} onSort={onSort} />
          ))}
        </div>
      </div>
      <div ref={body} role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index]
          return (
            row !== undefined && (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                onClick={onRow === undefined ? undefined : () => onRow(row)}
                className={classes(
                  'absolute inset-x-0 flex items-center border-b border-line px-2 sm:px-3',
                  onRow !== undefined && 'cursor-pointer hover:bg-sunken',
                )}
                style={{ height: ROW_HEIGHT, transform: `translateY(${item.start - offset}px)` }}
              >
                {columns.map((column) => (
                  <div key={column.key} role="cell" className={cellClass(column)}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            )
          )
        })}
      </div>
    </div>
  )
}

function cellClass<Row>(column: WideColumn<Row>): string {
  return classes(
    'truncate px-2',
    column.width === undefined ? 'min-w-0 flex-1' : `shrink-0 ${column.width}`,
    column.right === true && 'text-right',
    column.from !== undefined && FROM[column.from],
  )
}

type HeadProps<Row> = { column: WideColumn<Row>; sorting: Sorting | undefined; onSort: ((by: string) => void) | undefined }

function Head<Row>({ column, sorting, onSort }: HeadProps<Row>) {
  const t = useMessages(uiMessages)
  const sorted = sorting?.by === column.key
  const descending = sorting?.descending === true
  return (
    <div
      role="columnheader"
      aria-sort={sorted ? (descending ? 'descending' : 'ascending') : undefined}
      className={classes(cellClass(column), 'text-[0.8125rem] font-medium text-muted')}
    >
      {column.sortable === true && onSort !== undefined ? (
        <button
          type="button"
          title={t.sortBy(column.head)}
          onClick={() => onSort(column.key)}
          className={classes('inline-flex items-center gap-0.5 hover:text-ink', sorted && 'text-ink')}
        >
          {column.head}
          {sorted && <Icon name={descending ? 'down' : 'up'} className="size-4" />}
        </button>
      ) : (
        column.head
      )}
    </div>
  )
}
