import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { buttonClass } from '@/ui/button'
import { Card } from '@/ui/card'
import { CopyIcon } from '@/ui/copy'
import { Select } from '@/ui/field'
import { Page } from '@/ui/page'
import { SearchBox } from '@/ui/search-box'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { type CatalogueSearch, MODALITIES, type Model, SORTS, type Sort, catalogueQuery, catalogueSearch, found } from '../shared/catalogue'
import { modelMessages } from './messages'

export function ModelsPage() {
  const t = useMessages(modelMessages)
  const format = useFormat()
  const search = useSearch({ from: '/app/models' })
  const navigate = useNavigate({ from: '/models' })
  const models = useAsked(useQuery(catalogueQuery), (all) => found(all, search))
  const change = (changes: CatalogueSearch) => void navigate({ search: { ...search, ...changes }, replace: true })
  const sorted = search.sort ?? 'name'
  const sortBy = (by: string) => {
    const sort = SORTS.find((known) => known === by) ?? 'name'
    const { q, modality } = search
    const down = sort === sorted && search.down !== true
    void navigate({ search: catalogueSearch({ q, modality, sort, down }), replace: true })
  }
  return (
    <Page title={t.title} description={t.description} actions={models.data && <span className="nums text-muted">{t.count(models.data.length, format.number(models.data.length))}</span>}>
      <div className="flex flex-wrap gap-2">
        <SearchBox label={t.search} value={search.q ?? ''} onChange={(q) => change({ q })} className="min-w-48 flex-1" />
        <div className="w-40">
          <Select
            aria-label={t.modality}
            value={search.modality ?? 'all'}
            options={MODALITIES.map((value) => ({ value, label: t.modalities[value] }))}
            onChange={(modality) => change({ modality })}
          />
        </div>
        <div className="w-44 lg:hidden">
          <Select
            aria-label={t.sort}
            value={sorted}
            options={SORTS.map((value) => ({ value, label: t.sorts[value] }))}
            onChange={(sort: Sort) => change({ sort })}
          />
        </div>
      </div>
      <Card flush>
        <Stateful
          of={models}
          skeleton={<Skeleton lines={10} />}
          isEmpty={(list) => list.length === 0}
          empty={
            <Empty icon="cube" title={t.none}>
              {t.noneText}
            </Empty>
          }
        >
          {(list) => <List models={list} sorting={{ by: sorted, descending: search.down === true }} onSort={sortBy} />}
        </Stateful>
      </Card>
    </Page>
  )
}

type ListProps = { models: readonly Model[]; sorting: { by: string; descending: boolean }; onSort: (by: string) => void }

function List({ models, sorting, onSort }: ListProps) {
  const t = useMessages(modelMessages)
  const format = useFormat()
  const columns: Array<WideColumn<Model>> = [
    {
      key: 'name',
      head: t.model,
      sortable: true,
      cell: (model) => (
        <>
          <span className="block truncate leading-5 font-medium">{model.name}</span>
          <span className="flex items-center leading-4">
            <code className="truncate font-mono text-xs text-muted">{model.id}</code>
          </span>
        </>
      ),
    },
    { key: 'copy', head: '', width: 'w-13', from: 'sm', cell: (model) => <CopyIcon text={model.id} label={t.copyId} /> },
    {
      key: 'takes',
      head: t.takes,
      width: 'w-44',
      from: 'xl',
      cell: (model) => (
        <span className="text-[0.8125rem] text-muted">
          {MODALITIES.filter((kind) => model.takes.includes(kind))
            .map((kind) => t.modalities[kind].toLowerCase())
            .join(', ')}
        </span>
      ),
    },
    {
      key: 'context',
      head: t.context,
      width: 'w-24',
      right: true,
      from: 'md',
      sortable: true,
      cell: (model) => (model.context === null ? '—' : format.compact(model.context)),
    },
    { key: 'input', head: t.input, width: 'w-24', right: true, sortable: true, cell: (model) => <Price value={model.input} /> },
    { key: 'output', head: t.output, width: 'w-24', right: true, sortable: true, cell: (model) => <Price value={model.output} /> },
    { key: 'cached', head: t.cached, width: 'w-28', right: true, from: 'lg', cell: (model) => <Price value={model.cached} /> },
    {
      key: 'try',
      head: '',
      width: 'w-32',
      right: true,
      from: 'md',
      cell: (model) =>
        model.gives.includes('text') && (
          <Link to="/models/playground" search={{ model: model.id }} className={buttonClass('plain', true)}>
            {t.try}
          </Link>
        ),
    },
  ]
  return <VirtualTable label={t.title} rows={models} columns={columns} rowKey={(model) => model.id} sorting={sorting} onSort={onSort} />
}

function Price({ value }: { value: string | null }) {
  const t = useMessages(modelMessages)
  const format = useFormat()
  if (value === null) return <span className="text-faint">—</span>
  if (value === '0') return <span className="text-muted">{t.free}</span>
  return <span title={format.price(value)}>{format.price(value)}</span>
}
