import './style.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { setNonce } from 'get-nonce'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { currentLanguage } from '@/lib/i18n'
import { applyTheme, followSystemTheme } from '@/lib/theme'
import { Toasts } from '@/ui/toast'
import { queryClient, router } from './router'

applyTheme()
followSystemTheme()
document.documentElement.lang = currentLanguage()

// Dialogs keep the page behind them from scrolling with a style element; the gateway's policy lets it through only with
// the nonce of this page.
const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute('content')
if (nonce !== null && nonce !== undefined && nonce !== '') setNonce(nonce)

const place = document.getElementById('root')
if (place !== null) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </StrictMode>,
  )
}
