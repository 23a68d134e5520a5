import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import type { components } from '@/api/schema'

type Bodies = components['schemas']
const to = (id: string, key: string) => ({ path: { id }, header: { 'Idempotency-Key': key } })

export const register = (key: string, body: Bodies['MasterAccountRequest']) =>
  unwrap(api.POST('/v1/admin/master-accounts', { params: { header: { 'Idempotency-Key': key } }, body }))
export const purchase = (id: string, key: string, body: Bodies['PurchaseRequest']) =>
  unwrap(api.POST('/v1/admin/master-accounts/{id}/purchases', { params: to(id, key), body }))
export const reconcile = (id: string, key: string, body: Bodies['CreditsRequest']) =>
  unwrap(api.POST('/v1/admin/master-accounts/{id}/adjustments', { params: to(id, key), body }))
export const replaceKey = (id: string, key: string, body: Bodies['KeyRequest']) =>
  unwrap(api.PUT('/v1/admin/master-accounts/{id}/key', { params: to(id, key), body }))
export const enable = (id: string, key: string, reason: string) =>
  unwrap(api.POST('/v1/admin/master-accounts/{id}/enable', { params: to(id, key), body: { reason } }))
export const disable = (id: string, key: string, reason: string) =>
  unwrap(api.POST('/v1/admin/master-accounts/{id}/disable', { params: to(id, key), body: { reason } }))
