import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query'
import { api } from '@/api/client'
import { done, unwrap } from '@/api/error'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'
import type { PersonRole } from './search'

type Bodies = components['schemas']
export type Person = Bodies['UserItem']
export type Invitation = Bodies['InvitationItem']
export type Invited = Bodies['InviteResponse']
export type Mail = Bodies['MailItem']
export type OpenedMail = Bodies['MailResponse']
export type ResetLink = Bodies['ResetLinkResponse']

const page = (cursor: string | null) => ({ limit: 50, ...(cursor !== null && { cursor }) })
/** One page is read again by itself; many are not. */
const seldom = (pages: number | undefined) => ((pages ?? 0) > 1 ? (false as const) : REFRESH_MS)

export const peopleQuery = (search: string, role: PersonRole | undefined) =>
  infiniteQueryOptions({
    queryKey: ['people', 'list', search, role],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...page(pageParam), ...(search !== '' && { search }), ...(role !== undefined && { role }) }
      return unwrap(api.GET('/v1/admin/users', { params: { query }, signal }))
    },
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: (query) => seldom(query.state.data?.pages.length),
    placeholderData: keepPreviousData,
  })

export const invitationsQuery = infiniteQueryOptions({
  queryKey: ['people', 'invitations'],
  queryFn: ({ pageParam, signal }) => unwrap(api.GET('/v1/admin/invitations', { params: { query: page(pageParam) }, signal })),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: (last) => last.next_cursor ?? null,
  refetchInterval: (query) => seldom(query.state.data?.pages.length),
})

export const mailsQuery = infiniteQueryOptions({
  queryKey: ['people', 'mails'],
  queryFn: ({ pageParam, signal }) => unwrap(api.GET('/v1/admin/mails', { params: { query: page(pageParam) }, signal })),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: (last) => last.next_cursor ?? null,
  refetchInterval: (query) => seldom(query.state.data?.pages.length),
})

export const setRole = ({ id, role }: { id: string; role: PersonRole }) =>
  unwrap(api.PUT('/v1/admin/users/{id}/role', { params: { path: { id } }, body: { role } }))
export const endSessions = (id: string) => unwrap(api.DELETE('/v1/admin/users/{id}/sessions', { params: { path: { id } } }))
export const makeResetLink = (id: string) => unwrap(api.POST('/v1/admin/users/{id}/password-reset', { params: { path: { id } } }))
export const invite = (body: Bodies['InviteRequest']) => unwrap(api.POST('/v1/admin/invitations', { body }))
export const revokeInvitation = (id: string) => done(api.DELETE('/v1/admin/invitations/{id}', { params: { path: { id } } }))
export const openMail = (id: string) => unwrap(api.POST('/v1/admin/mails/{id}/open', { params: { path: { id } } }))
