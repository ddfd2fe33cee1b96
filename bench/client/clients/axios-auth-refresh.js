import axios from 'axios'
import { createAuthRefresh } from 'axios-auth-refresh'

let token = null
const refresh = () =>
  axios.post('/session').then(({ data }) => {
    token = data.access_token
  })
const api = axios.create()
api.interceptors.request.use((config) => {
  config.headers.Authorization = `Bearer ${token}`
  return config
})
createAuthRefresh(api, refresh)

window.client = {
  enter: () => fetch('/login', { method: 'POST' }).then(refresh),
  call: (path, signal) => api.get(path, { signal }),
  out: () => false, // that is left to whoever uses it
}
