// The queue of failed requests, as tutorials write it.
import axios from 'axios'

let token = null
let left = false
let isRefreshing = false
let failedQueue = []

const processQueue = (error, fresh) => {
  for (const { resolve, reject } of failedQueue) error ? reject(error) : resolve(fresh)
  failedQueue = []
}
const refresh = () =>
  axios.post('/session').then(({ data }) => {
    token = data.access_token
    return token
  })

const api = axios.create()
api.interceptors.request.use((config) => {
  config.headers.Authorization = `Bearer ${token}`
  return config
})
api.interceptors.response.use(
  (response) => response,
  (error) => {
    const original = error.config
    if (error.response?.status !== 401 || original.retried) return Promise.reject(error)
    if (isRefreshing)
      return new Promise((resolve, reject) => {
        failedQueue.push({ resolve, reject })
      }).then(() => api(original))
    original.retried = true
    isRefreshing = true
    return new Promise((resolve, reject) => {
      refresh()
        .then((fresh) => {
          processQueue(null, fresh)
          resolve(api(original))
        })
        .catch((failed) => {
          processQueue(failed, null)
          left = true // here they go to the sign-in page
          reject(failed)
        })
        .finally(() => {
          isRefreshing = false
        })
    })
  },
)

window.client = {
  enter: () => fetch('/login', { method: 'POST' }).then(refresh),
  call: (path, signal) => api.get(path, { signal }),
  out: () => left,
}
