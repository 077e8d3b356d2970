// A certified OpenID provider on loopback, with three people: what we did not write judges how we sign in.
import Provider from 'oidc-provider'

const people = {
  ana: { email: 'ana@example.org', email_verified: true, groups: ['search', 'everybody'] },
  emma: { email: 'emma@example.org', email_verified: true, groups: ['leads'] },
  eve: { email: 'emma@example.org', email_verified: false, groups: ['leads'] },
}
const port = Number(process.env.PORT)
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'accord', client_secret: process.env.CLIENT_SECRET, redirect_uris: [process.env.CALLBACK] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: ['only-for-tests'] },
  findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
})
provider.listen(port, '127.0.0.1', () => console.log('ready'))
