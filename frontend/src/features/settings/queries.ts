import { queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { done, unwrap } from '@/api/error'
import type { components } from '@/api/schema'

export type Me = components['schemas']['MeResponse']
export type SessionItem = components['schemas']['SessionItem']
export type Limits = components['schemas']['LimitsResponse']

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/auth/sessions', { signal })),
})

export const limitsQuery = queryOptions({
  queryKey: ['limits'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/client/limits', { signal })),
})

export const changeMe = (body: components['schemas']['ChangeMeRequest']) => unwrap(api.PATCH('/v1/auth/me', { body }))

export const changeLimits = (body: components['schemas']['OwnLimitsRequest']) => unwrap(api.PATCH('/v1/client/limits', { body }))

export const changePassword = (body: components['schemas']['ChangePasswordRequest']) => done(api.POST('/v1/auth/password', { body }))

export const endSession = (id: string) => done(api.DELETE('/v1/auth/sessions/{id}', { params: { path: { id } } }))

export const endOtherSessions = () => unwrap(api.DELETE('/v1/auth/sessions'))
