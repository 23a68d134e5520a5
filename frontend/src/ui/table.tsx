import type { ReactNode } from 'react'
import { useMessages } from '@/lib/i18n'
import { classes } from './classes'
import { Icon } from './icon'
import { uiMessages } from './messages'
import { type Asked, Stateful } from './state'

export type Column<Row> = {
  key: string
  head: string
  cell: (row: Row) => ReactNode
  /** Figures stand at the right. */
  right?: boolean
  /** Left out below this width; what is essential never is. */
  from?: 'sm' | 'md' | 'lg' | 'xl'
  sortable?: boolean
  /** Takes the room that is left. */
  grow?: boolean
}

export type Sorting = { by: string; descending: boolean }

const FROM = {
  sm: 'max-sm:hidden',
  md: 'max-md:hidden',
  lg: 'max-lg:hidden',
  xl: 'max-xl:hidden',
}

type Props<Row> = {
  label: string
  rows: Asked<readonly Row[]>
  columns: ReadonlyArray<Column<Row>>
  rowKey: (row: Row) => string
  empty: ReactNode
  sorting?: Sorting
  onSort?: (by: string) => void
  onRow?: (row: Row) => void
  footer?: ReactNode
}

/** A table with its loading, empty and error states. */
export function Table<Row>({ label, rows, columns, rowKey, empty, sorting, onSort, onRow, footer }: Props<Row>) {
  return (
    <Stateful of={rows} isEmpty={(data) => data.length === 0} empty={empty}>
      {(data) => (
        // A table that is wider than its place scrolls alone, and by the keyboard too.
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
          <table className="w-full border-collapse text-left">
            <thead>
              <tr className="border-b border-line">
                {columns.map((column) => (
                  <Head key={column.key} column={column} sorting={sorting} onSort={onSort} />
                ))}
              </tr>
            </thead>
            <tbody>
              {data.map((row) => (
                <tr
                  key={rowKey(row)}
                  onClick={onRow === undefined ? undefined : () => onRow(row)}
                  className={classes('border-b border-line last:border-0', onRow !== undefined && 'cursor-pointer hover:bg-sunken')}
                >
                  {columns.map((column) => (
                    <td key={column.key} className={cellClass(column)}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
            {footer}
          </table>
        </div>
      )}
    </Stateful>
  )
}

export function cellClass<Row>(column: Column<Row>): string {
  return classes(
    'h-11 px-2 sm:px-3 py-2 first:pl-4 last:pr-4 sm:first:pl-5 sm:last:pr-5',
    column.right === true && 'text-right whitespace-nowrap',
    column.grow === true && 'w-full max-w-0 min-w-28',
    column.from !== undefined && FROM[column.from],
  )
}

type HeadProps<Row> = { column: Column<Row>; sorting: Sorting | undefined; onSort: ((by: string) => void) | undefined }

function Head<Row>({ column, sorting, onSort }: HeadProps<Row>) {
  const t = useMessages(uiMessages)
  const sorted = sorting?.by === column.key
  const direction = sorting?.descending === true ? 'descending' : 'ascending'
  return (
    <th
      scope="col"
      aria-sort={sorted ? direction : undefined}
      className={classes(cellClass(column), 'h-9 text-[0.8125rem] font-medium whitespace-nowrap text-muted')}
    >
      {column.sortable === true && onSort !== undefined ? (
        <button
          type="button"
          onClick={() => onSort(column.key)}
          title={t.sortBy(column.head)}
          className={classes('inline-flex items-center gap-0.5 hover:text-ink', sorted && 'text-ink')}
        >
          {column.head}
          <Icon name={sorted && direction === 'ascending' ? 'up' : 'down'} className={classes('size-4', !sorted && 'opacity-0')} />
        </button>
      ) : (
        column.head
      )}
    </th>
  )
}
