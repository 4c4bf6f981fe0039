import type { Localized } from '../../accounts/society.ts'

/** A rule that a request can break: where it stands, what it says, and what to do about it. */
export type Rule = Readonly<{ section: string; rule: Localized; fix: Localized }>

type Words = readonly [rule: string, fix: string]
const rule = (section: string, ja: Words, en: Words): Rule => ({
  section,
  rule: { ja: ja[0], en: en[0] },
  fix: { ja: ja[1], en: en[1] },
})

/**
 * Every reason for which a relying party's request is refused. Texts are for integrators: what was
 * sent and what is registered stands beside them, so they quote neither.
 */
export const RULES = {
  'client.unknown': rule(
    'RFC 6749 section 2.2',
    [
      'このclient_idのアプリは登録されていません。',
      'client_idを`kenpo-idp client list`の表示と見比べ、issuer（本番か検証か）も確かめます。',
    ],
    [
      'No client is registered under this client_id.',
      'Compare it with `kenpo-idp client list`, and check that the issuer is the one you registered at.',
    ],
  ),
  'client.disabled': rule(
    'Kenpo ID docs/clients.md',
    [
      'このアプリは運用者が止めています。',
      '`kenpo-idp client show`で理由を確かめ、解決したら`kenpo-idp client enable`で戻します。',
    ],
    [
      'The operator has disabled this client.',
      'See why with `kenpo-idp client show`; once that is settled, run `kenpo-idp client enable`.',
    ],
  ),
  'client.unusable': rule(
    'RFC 7591 section 2',
    [
      '要求ではなく、このアプリの登録に問題があり、読み込めません。',
      '運用者が`kenpo-idp client doctor ID`で確かめ、説明に挙げた項目を`kenpo-idp client update`で直します。',
    ],
    [
      'Not the request but the registration of this client is at fault: it cannot be loaded.',
      'The operator runs `kenpo-idp client doctor ID` and corrects what the description names with `kenpo-idp client update`.',
    ],
  ),
  'redirect_uri.unregistered': rule(
    'OIDC Core section 3.1.2.1, RFC 9700 section 4.1.3',
    [
      'redirect_uriは、登録したものと1文字も違わないことが必要です。',
      'アプリの設定を登録どおりに直すか、`kenpo-idp client update ID --redirect-uri`で登録し直します（登録は全件の置き換えです）。',
    ],
    [
      'The redirect_uri must equal a registered one, character by character.',
      'Correct the app, or register it: `kenpo-idp client update ID --redirect-uri` (which replaces the whole list).',
    ],
  ),
  'parameter.missing': rule(
    'RFC 6749 sections 4.1.1 and 4.1.3',
    ['必須のパラメータがありません。', 'そのパラメータを付けて送ります。'],
    ['A required parameter is missing.', 'Send it.'],
  ),
  'parameter.repeated': rule(
    'RFC 6749 sections 3.1 and 3.2',
    ['同じパラメータが2回以上あります。', '1回だけ送ります。'],
    ['A parameter is sent more than once.', 'Send it once.'],
  ),
  'scope.malformed': rule(
    'RFC 6749 section 3.3',
    [
      'scopeに使えない文字があります。',
      '値を1つの半角空白で区切ります。カンマや引用符は使えません。',
    ],
    [
      'The scope has characters that it cannot have.',
      'Separate the values by one space each, without quotes.',
    ],
  ),
  'scope.not_allowed': rule(
    'RFC 6749 section 3.3',
    [
      'このアプリに登録されていないscopeを求めています。',
      '要求から外すか、`kenpo-idp client update ID --set scope="…"`で登録します。',
    ],
    [
      'The request asks for a scope that the client is not registered for.',
      'Leave it out, or register it: `kenpo-idp client update ID --set scope="…"`.',
    ],
  ),
  'scope.openid_missing': rule(
    'OIDC Core section 3.1.2.1',
    ['scopeに`openid`がありません。', 'scopeに`openid`を加えます。'],
    ['The scope does not contain `openid`.', 'Add `openid` to the scope.'],
  ),
  'response_type.unsupported': rule(
    'RFC 6749 section 3.1.1',
    [
      'このresponse_typeには対応していません。',
      '`response_type=code`を使います（認可コードフローとPKCE）。',
    ],
    ['This response_type is not supported.', 'Use `response_type=code`: the code flow, with PKCE.'],
  ),
  'response_type.not_allowed': rule(
    'OIDC Registration section 2 (response_types)',
    [
      'このアプリに登録されていないresponse_typeです。',
      '登録した値を使うか、`kenpo-idp client update ID --set response_types=\'["code"]\'`で登録を変えます。',
    ],
    [
      'The client is not registered for this response_type.',
      'Use a registered one, or change the registration: `kenpo-idp client update ID --set response_types=\'["code"]\'`.',
    ],
  ),
  'response_mode.refused': rule(
    'OAuth 2.0 Multiple Response Type Encoding section 2.1',
    [
      'このresponse_modeは、この要求では使えません。',
      'response_modeを外します。コードフローではqueryになります。',
    ],
    [
      'This response_mode cannot be used with this request.',
      'Leave response_mode out: the code flow then answers in the query.',
    ],
  ),
  'pkce.missing': rule(
    'RFC 9700 section 2.1.1, RFC 7636 section 4.3',
    [
      'PKCEのcode_challengeがありません。',
      'code_verifierを要求ごとに作り、そのSHA-256をcode_challengeに、code_challenge_method=S256とともに送ります。',
    ],
    [
      'The PKCE code_challenge is missing.',
      'Make a code_verifier for each request and send its SHA-256 as code_challenge, with code_challenge_method=S256.',
    ],
  ),
  'pkce.method': rule(
    'RFC 7636 section 4.3, RFC 9700 section 2.1.1',
    [
      'code_challenge_methodはS256だけです。省略するとplainの意味になります。',
      'code_challenge_method=S256を送り、code_challengeをcode_verifierのSHA-256（base64url）にします。',
    ],
    [
      'The code_challenge_method must be S256; leaving it out would mean plain.',
      'Send code_challenge_method=S256, and as code_challenge the SHA-256 of the code_verifier in base64url.',
    ],
  ),
  'pkce.malformed': rule(
    'RFC 7636 sections 4.1 and 4.2',
    [
      'PKCEの値の長さか文字が規格に合いません（43から128文字の英数字と-._~）。',
      'ライブラリの関数で32バイトの乱数から作ります。',
    ],
    [
      'The PKCE value has another length, or other characters, than it may: 43 to 128 letters, digits and -._~.',
      'Make it from 32 random bytes, by the functions of your library.',
    ],
  ),
  'prompt.unsupported': rule(
    'OIDC Core section 3.1.2.1 (prompt)',
    ['このpromptの値には対応していません。', '`none`か`login`を使うか、promptを外します。'],
    ['This value of prompt is not supported.', 'Use `none` or `login`, or leave prompt out.'],
  ),
  'prompt.none_combined': rule(
    'OIDC Core section 3.1.2.1 (prompt)',
    ['`prompt=none`は、ほかの値と一緒に使えません。', '`none`だけを送ります。'],
    ['`prompt=none` cannot be combined with other values.', 'Send `none` alone.'],
  ),
  'max_age.malformed': rule(
    'OIDC Core section 3.1.2.1 (max_age)',
    ['max_ageが0以上の整数（秒）ではありません。', '秒数を数字だけで送ります。'],
    ['max_age is not a whole number of seconds.', 'Send digits only.'],
  ),
  'claims.malformed': rule(
    'OIDC Core section 5.5',
    [
      'claimsが、userinfoかid_tokenを持つJSONオブジェクトではありません。',
      'JSON.stringifyした値をURLエンコードして送ります。',
    ],
    [
      'claims is not a JSON object with userinfo or id_token.',
      'Send the output of JSON.stringify, URL-encoded.',
    ],
  ),
  'request_object.unsupported': rule(
    'OIDC Core section 6',
    [
      'この要求の送り方（request、request_uri、registration）は受け付けていません。',
      'パラメータをそのまま送るか、先にPARのエンドポイントへ送ります。',
    ],
    [
      'This way of sending a request (request, request_uri, registration) is not taken here.',
      'Send plain parameters, or push them first (PAR).',
    ],
  ),
  'request_object.refused': rule(
    'RFC 9101 sections 6.1 and 6.2',
    [
      '署名付き要求（request）を確かめられません。',
      'アルゴリズム、鍵（登録したjwksかjwks_uri）、iss、aud、exp、client_idを確かめます。',
    ],
    [
      'The signed request could not be verified.',
      'Check its algorithm, its key (registered jwks or jwks_uri), iss, aud, exp and client_id.',
    ],
  ),
  'request_object.unreachable': rule(
    'OIDC Core section 6.2',
    [
      '登録したrequest_uriから署名付き要求を読めません。',
      'そのアドレスが200で署名付きJWTを返すか、内部のアドレスならIDP_OUTBOUND_ALLOWEDにあるかを確かめます。',
    ],
    [
      'The signed request at the registered request_uri cannot be read.',
      'Check that the address answers 200 with a signed JWT; one in your own network goes into IDP_OUTBOUND_ALLOWED.',
    ],
  ),
  'request_object.too_many': rule(
    'OIDC Core section 6.2',
    [
      'このアプリのrequest_uriを読みに行く回数が、1分の上限に達しています。',
      '1分待ちます。続くなら、要求を`request`かPARで送ります。',
    ],
    [
      'The request_uri of this client was read as often as a minute allows.',
      'Wait a minute; if it goes on, send the request as `request`, or push it.',
    ],
  ),
  'request_object.required': rule(
    'RFC 9101 section 10.5',
    ['このアプリは署名付き要求で送ると登録されています。', '要求を署名して`request`で送ります。'],
    [
      'The client is registered to send signed requests only.',
      'Sign the request and send it as `request`.',
    ],
  ),
  'par.request_uri': rule(
    'RFC 9126 sections 2.2 and 4',
    [
      'request_uriが、未知か、60秒の期限切れか、使用済みか、ほかのアプリのものです。',
      'サインインのたびに、直前に送り直します。',
    ],
    [
      'The request_uri is unknown, older than 60 seconds, used already, or another client’s.',
      'Push the request anew, right before each sign-in.',
    ],
  ),
  'par.required': rule(
    'RFC 9126 section 5',
    [
      'このアプリは要求を先に送る（PAR）と登録されています。',
      'PARのエンドポイントへ送り、返ったrequest_uriを使います。',
    ],
    [
      'The client is registered to push its requests.',
      'Send it to the pushed authorization request endpoint and use the request_uri that it answers.',
    ],
  ),
  'hint.refused': rule(
    'OIDC Core section 3.1.2.1 (id_token_hint)',
    [
      'id_token_hintを確かめられません。',
      'このissuerがこのアプリに発行したIDトークンをそのまま送るか、外します。',
    ],
    [
      'The id_token_hint could not be verified.',
      'Send an ID token of this issuer for this client unchanged, or leave it out.',
    ],
  ),
  'member.turned_back': rule(
    'RFC 6749 section 4.1.2.1',
    [
      '会員がログインか同意を断り、アプリに戻りました。',
      '誤りではありません。何も起きなかったと表示し、もう一度ログインできるようにします。',
    ],
    [
      'The member declined and went back to the app.',
      'No mistake: show that nothing happened and offer to sign in again.',
    ],
  ),
  'member.must_act': rule(
    'OIDC Core sections 3.1.2.1 and 3.1.2.6',
    [
      '`prompt=none`でしたが、会員に画面を見せる必要があります（ログイン、時間切れ、より強い認証、同意のいずれか）。',
      '`prompt=none`を外して、会員をもう一度送ります。',
    ],
    [
      'The request has `prompt=none`, and the member would have to be shown a page: to sign in, again or more strongly, or to consent.',
      'Send the member again without `prompt=none`.',
    ],
  ),
  'acr.unmet': rule(
    'OIDC Core section 5.5.1.1',
    [
      '会員の認証方法では、求められた認証の強さ（acr）に届きません。',
      '届く方法の登録を案内するか、求める強さを下げます。',
    ],
    [
      'The member has no method that reaches the acr asked for.',
      'Tell them which method to register, or ask for less.',
    ],
  ),
  'session.expired': rule(
    'Kenpo ID docs/errors.md (session_expired)',
    [
      '画面が1時間より古いか、別の場所で終わったか、別のブラウザのものです。',
      'アプリからログインをやり直します。ログインの途中のURLをブックマークさせないようにします。',
    ],
    [
      'The page is over an hour old, was finished elsewhere, or belongs to another browser.',
      'Start again from the app; never let members bookmark an address in the midst of a sign-in.',
    ],
  ),
  'auth.missing': rule(
    'RFC 6749 section 2.3',
    [
      'どのアプリからの要求かがわかりません（クライアント認証もclient_idもありません）。',
      '登録したtoken_endpoint_auth_methodの方法で認証を付けます。',
    ],
    [
      'Nothing says which client this is: neither client authentication nor a client_id.',
      'Authenticate by the registered token_endpoint_auth_method.',
    ],
  ),
  'auth.several': rule(
    'RFC 6749 section 2.3',
    ['クライアント認証が2つ以上あります。', '登録した1つの方法だけを使います。'],
    ['The request has more than one client authentication.', 'Use the registered one only.'],
  ),
  'auth.method': rule(
    'OIDC Core section 9, RFC 7591 section 2',
    [
      'クライアント認証の方法が、登録したものと違います。',
      'アプリを登録どおりにするか、`kenpo-idp client update ID --auth-method`で登録を変えます。',
    ],
    [
      'The client authenticates by another method than it is registered for.',
      'Correct the app, or the registration: `kenpo-idp client update ID --auth-method`.',
    ],
  ),
  'auth.secret_wrong': rule(
    'RFC 6749 section 2.3.1',
    [
      'client_secretが登録したものと違います。',
      '設定を見直します（前後の空白や改行、BasicではそれぞれをフォームURLエンコード）。失くしたら`kenpo-idp client rotate-secret`で作ります。',
    ],
    [
      'The client_secret is not the registered one.',
      'Check the setting: spaces or line breaks around it, each part form-encoded in Basic. If it is lost, run `kenpo-idp client rotate-secret`.',
    ],
  ),
  'auth.secret_expired': rule(
    'RFC 6749 section 2.3.1',
    [
      'client_secretは以前のもので、交換の重なりの期間が終わっています。',
      'アプリの設定を新しい秘密に替えます。',
    ],
    [
      'The client_secret is a former one, and the overlap of its rotation is over.',
      'Put the new secret into the app.',
    ],
  ),
  'auth.secret_unreadable': rule(
    'Kenpo ID docs/operate.md',
    [
      'このアプリのclient_secretを守る暗号鍵がサーバーにないため、どの秘密も確かめられません。',
      '運用者が`IDP_ENCRYPTION_KEYS`に鍵を戻します。失ったのなら`kenpo-idp client rotate-secret --lost`で新しい秘密を作り、アプリに入れます。',
    ],
    [
      'The provider no longer has the encryption key of this client’s secret, so no secret can be checked.',
      'The operator puts the key back into `IDP_ENCRYPTION_KEYS`; if it is lost, run `kenpo-idp client rotate-secret --lost` and put the new secret into the app.',
    ],
  ),
  'auth.header': rule(
    'RFC 6749 section 2.3.1, RFC 7617',
    [
      'Authorizationヘッダーの形が違います。',
      '`Basic base64(フォームURLエンコードしたclient_id:同じくclient_secret)`にします。',
    ],
    [
      'The Authorization header is malformed.',
      'Send `Basic base64(client_id:client_secret)`, each of the two form-encoded first.',
    ],
  ),
  'client_id.mismatch': rule(
    'RFC 6749 section 2.3',
    [
      'client_idが、認証した名前と違います。',
      'client_idを外すか、ヘッダーかアサーションと同じにします。',
    ],
    [
      'The client_id differs from the name that the client authenticates by.',
      'Leave it out, or make it the same as in the header or the assertion.',
    ],
  ),
  'assertion.malformed': rule(
    'RFC 7523 section 3',
    [
      'client_assertionかclient_assertion_typeの形が違います。',
      '署名したJWTと、client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearerを送ります。',
    ],
    [
      'client_assertion or client_assertion_type is malformed.',
      'Send a signed JWT, with client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer.',
    ],
  ),
  'assertion.algorithm': rule(
    'OIDC Registration section 2 (token_endpoint_auth_signing_alg)',
    [
      'client_assertionの署名アルゴリズム（alg）が、登録した方法に合いません。',
      '登録したアルゴリズムで署名します。`none`は使えません。',
    ],
    [
      'The client_assertion is signed by an algorithm (alg) that does not fit the registration.',
      'Sign with a registered algorithm; `none` is never taken.',
    ],
  ),
  'assertion.audience': rule(
    'RFC 7523 section 3 (aud)',
    [
      'client_assertionのaudが、このサーバーではありません。',
      'audをissuer（末尾の/なし）にします。',
    ],
    [
      'The aud of the client_assertion is not this server.',
      'Make aud the issuer, without a trailing slash.',
    ],
  ),
  'assertion.expired': rule(
    'RFC 7523 section 3 (exp)',
    [
      'client_assertionの期限（exp）が切れているか、ありません。',
      '要求ごとに作り、expを1分ほど先にします。時計をNTPで合わせます。',
    ],
    [
      'The client_assertion has expired, or has no exp.',
      'Make one for each request, with exp about a minute ahead; synchronise the clock (NTP).',
    ],
  ),
  'assertion.no_jti': rule(
    'OIDC Core section 9 (jti)',
    ['client_assertionにjtiがありません。', '要求ごとに新しい乱数をjtiにします。'],
    ['The client_assertion has no jti.', 'Give each a new random jti.'],
  ),
  'assertion.reused': rule(
    'OIDC Core section 9 (jti)',
    [
      'client_assertionのjtiは使用済みです。',
      '再試行も含めて、要求ごとに新しいアサーションを作ります。',
    ],
    [
      'The jti of the client_assertion was used before.',
      'Make a new assertion for every request, retries too.',
    ],
  ),
  'assertion.issuer': rule(
    'RFC 7523 section 3 (iss, sub)',
    ['client_assertionのissかsubがclient_idではありません。', '両方をclient_idにします。'],
    ['iss or sub of the client_assertion is not the client_id.', 'Make both the client_id.'],
  ),
  'assertion.signature': rule(
    'RFC 7523 section 3',
    [
      'client_assertionの署名を、登録した鍵で確かめられません。',
      '署名した鍵の公開鍵がjwks（かjwks_uri）にあり、kidが同じことを確かめます。client_secret_jwtなら秘密を確かめます。',
    ],
    [
      'The signature of the client_assertion does not verify under a registered key.',
      'Check that the public key is in jwks (or at jwks_uri) under the same kid; for client_secret_jwt check the secret.',
    ],
  ),
  'grant_type.unsupported': rule(
    'RFC 6749 section 5.2 (unsupported_grant_type)',
    ['このgrant_typeには対応していません。', '認可コードフロー（authorization_code）を使います。'],
    ['This grant_type is not supported.', 'Use the code flow (authorization_code).'],
  ),
  'grant_type.not_allowed': rule(
    'RFC 6749 section 5.2 (unauthorized_client)',
    [
      'このアプリに登録されていないgrant_typeです。',
      "`kenpo-idp client update ID --set grant_types='[…]'`で登録に加えます。",
    ],
    [
      'The client is not registered for this grant_type.',
      "Register it: `kenpo-idp client update ID --set grant_types='[…]'`.",
    ],
  ),
  'code.unknown': rule(
    'RFC 6749 section 4.1.3',
    [
      '認可コードが見つかりません。期限切れで消えたか、使われて無効になったか、別の環境のものか、途中で切れています。',
      'コールバックで受け取ったらすぐ、1回だけ送ります。',
    ],
    [
      'The authorization code is unknown: long expired, revoked after a second use, of another deployment, or cut on its way.',
      'Redeem it once, as soon as it comes to the callback.',
    ],
  ),
  'code.expired': rule(
    'RFC 6749 section 4.1.2',
    ['認可コードの期限（60秒）が切れています。', 'コールバックで受け取ったらすぐ送ります。'],
    [
      'The authorization code is older than its 60 seconds.',
      'Redeem it as soon as it comes to the callback.',
    ],
  ),
  'code.used': rule(
    'RFC 6749 section 4.1.2',
    [
      '認可コードは使用済みです。1回目で発行したトークンも無効にしました。',
      '再試行や再読み込みで2回送らないようにし、ログインをやり直します。',
    ],
    [
      'The authorization code was used before; what it gave then is revoked now.',
      'Never send a code twice, be it by a retry or a reload; start a new sign-in.',
    ],
  ),
  'code.foreign': rule(
    'RFC 6749 section 4.1.3',
    [
      '認可コードは、別のアプリ（client_id）に発行したものです。',
      '認可要求とトークン要求で同じclient_idを使います。',
    ],
    [
      'The authorization code was issued to another client.',
      'Use one client_id in the authorization request and at the token endpoint.',
    ],
  ),
  'code.redirect_uri': rule(
    'RFC 6749 section 4.1.3',
    ['redirect_uriが、認可要求のときと違います。', '認可要求と同じ値を、1文字も変えずに送ります。'],
    [
      'The redirect_uri is not that of the authorization request.',
      'Send the very same value as there.',
    ],
  ),
  'code.no_verifier': rule(
    'RFC 7636 section 4.5',
    [
      'code_verifierがありません。',
      '認可要求の前に作ったcode_verifierを、利用者のセッションに保存して送ります。',
    ],
    [
      'The code_verifier is missing.',
      'Keep the code_verifier of the request in the user’s session and send it.',
    ],
  ),
  'code.verifier': rule(
    'RFC 7636 section 4.6',
    [
      'code_verifierが、認可要求のcode_challengeと合いません。',
      '要求ごとに保存し、stateで対応付けます。複数のタブやサーバーで上書きしていないかも確かめます。',
    ],
    [
      'The code_verifier does not match the code_challenge of the request.',
      'Keep one for each request, found again by its state; look for tabs or servers that overwrite it.',
    ],
  ),
  'refresh.unknown': rule(
    'RFC 6749 section 6',
    [
      'リフレッシュトークンが見つかりません。取り消されたか、期限が切れて消えたか、別の環境のものです。',
      '会員にもう一度ログインしてもらいます。',
    ],
    [
      'The refresh token is unknown: revoked, long expired, or of another deployment.',
      'Send the member to sign in.',
    ],
  ),
  'refresh.expired': rule(
    'RFC 6749 section 6',
    ['リフレッシュトークンの期限が切れています。', '会員にもう一度ログインしてもらいます。'],
    ['The refresh token has expired.', 'Send the member to sign in.'],
  ),
  'refresh.used': rule(
    'RFC 9700 section 4.14.2',
    [
      'リフレッシュトークンは使用済みです。盗用のおそれがあるため、その一連のトークンを全て無効にしました。',
      '返ってきた新しいトークンを必ず保存し、同時に2回更新しないようにします。',
    ],
    [
      'The refresh token was used before. Somebody may have stolen it, so all that came of it is revoked.',
      'Store the new token of each answer, and never refresh twice at once.',
    ],
  ),
  'refresh.foreign': rule(
    'RFC 6749 section 6',
    [
      'リフレッシュトークンは、別のアプリ（client_id）に発行したものです。',
      '受け取ったアプリが使います。',
    ],
    ['The refresh token was issued to another client.', 'Use it as the client that received it.'],
  ),
  'grant.ended': rule(
    'RFC 6749 section 5.2 (invalid_grant)',
    [
      '許可が終わっています。ログアウト、同意の取り消し、コードの再使用などで取り消されました。',
      '会員にもう一度ログインしてもらいます。',
    ],
    [
      'The permission behind it has ended: by a logout, a withdrawn consent, a code used twice.',
      'Send the member to sign in.',
    ],
  ),
  'member.stopped': rule(
    'RFC 6749 section 5.2 (invalid_grant)',
    [
      'この会員は今ログインできません（停止中か、退会しています）。',
      '会員から健保組合に問い合わせてもらいます。',
    ],
    [
      'The member cannot sign in any more: blocked, or gone.',
      'The member asks their health-insurance society.',
    ],
  ),
  'dpop.refused': rule(
    'RFC 9449 section 4.3',
    [
      'DPoPの証明が要求に合いません（鍵、htm、htu、iat、ath、nonceのいずれか）。',
      '要求ごとに、そのメソッドとURLで新しく作ります。時計をNTPで合わせます。',
    ],
    [
      'The DPoP proof does not fit the request: key, htm, htu, iat, ath or nonce.',
      'Make a fresh one for this method and address; synchronise the clock (NTP).',
    ],
  ),
  'resource.refused': rule(
    'RFC 8707 section 2',
    [
      'resourceが、このアプリに登録されたAPIではありません。',
      '登録した値を1つだけ送るか、policy.resourcesに登録します。',
    ],
    [
      'The resource is not an API that the client is registered for.',
      'Send one registered value, or register it in policy.resources.',
    ],
  ),
  'body.type': rule(
    'RFC 6749 section 3.2, RFC 7591 section 3.1',
    [
      '本文の形式（Content-Type）が違います。',
      '登録はapplication/json、ほかはapplication/x-www-form-urlencodedで送ります。',
    ],
    [
      'The body is of another Content-Type than this endpoint takes.',
      'Send application/json for registration, application/x-www-form-urlencoded elsewhere.',
    ],
  ),
  'body.unreadable': rule(
    'RFC 6749 section 3.2, RFC 7591 section 3.1',
    [
      '本文を読めません。形が壊れているか、56 kBを超えています。',
      '本文と長さ（Content-Length）を確かめます。',
    ],
    [
      'The body cannot be read: it is malformed, or over 56 kB.',
      'Check the body and its Content-Length.',
    ],
  ),
  'cors.origin': rule(
    'Fetch section 3.3 (CORS)',
    [
      'このオリジンのページから、このアプリとして呼び出すことはできません。',
      '公開アプリのredirect_uriと同じオリジンから呼ぶか、サーバーから呼びます。',
    ],
    [
      'A page of this origin may not call as this client.',
      'Call from the origin of a redirect_uri of a public client, or from a server.',
    ],
  ),
  'token.missing': rule(
    'RFC 6750 section 2',
    [
      'アクセストークンの送り方が違います。',
      '`Authorization: Bearer …`ヘッダーで1回だけ送ります。URLには付けません。',
    ],
    [
      'The access token is not sent as it must be.',
      'Send it once, as `Authorization: Bearer …`, never in an address.',
    ],
  ),
  'token.dead': rule(
    'RFC 6750 section 3.1 (invalid_token)',
    [
      'アクセストークンが、未知か、期限切れか、取り消されたか、会員かアプリが止められています。',
      'リフレッシュするか、会員にもう一度ログインしてもらいます。',
    ],
    [
      'The access token is unknown, expired or revoked, or its member or client is disabled.',
      'Refresh it, or send the member to sign in.',
    ],
  ),
  'token.scope': rule(
    'RFC 6750 section 3.1 (insufficient_scope)',
    [
      'アクセストークンに必要なscopeがありません。',
      '認可要求のscopeに加え、会員にログインしてもらいます。',
    ],
    [
      'The access token lacks a scope that this needs.',
      'Add it to the scope of the authorization request and send the member to sign in.',
    ],
  ),
  'token.kind': rule(
    'RFC 7009 section 2.2.1, RFC 7662 section 2.1',
    [
      'この形のトークン（JWT）は、ここでは扱えません。',
      'JWTのアクセストークンは、APIが署名とexpを確かめます。',
    ],
    [
      'A structured token (JWT) cannot be handled here.',
      'A JWT access token is checked by its API, by signature and exp.',
    ],
  ),
  'registration.token_unknown': rule(
    'RFC 7591 section 3',
    [
      '登録用トークンがないか、このサーバーのものではありません。',
      '`kenpo-idp client token create`で作り、Authorization: Bearerで送ります。',
    ],
    [
      'The initial access token is missing, or none of this server’s.',
      'Make one with `kenpo-idp client token create` and send it as Authorization: Bearer.',
    ],
  ),
  'registration.token_expired': rule(
    'RFC 7591 section 3',
    ['登録用トークンの期限が切れています。', '`kenpo-idp client token create`で作り直します。'],
    ['The initial access token has expired.', 'Make another: `kenpo-idp client token create`.'],
  ),
  'registration.token_spent': rule(
    'RFC 7591 section 3',
    [
      '登録用トークンは、決めた回数だけ使われています。',
      '`kenpo-idp client token create --uses`で、必要な回数のものを作ります。',
    ],
    [
      'The initial access token has been used as often as it may be.',
      'Make one for as many clients as you need: `kenpo-idp client token create --uses`.',
    ],
  ),
  'registration.token_revoked': rule(
    'RFC 7591 section 3',
    ['登録用トークンは運用者が取り消しています。', '運用者に新しいものを求めます。'],
    ['The operator has revoked the initial access token.', 'Ask the operator for another.'],
  ),
  'registration.own_token': rule(
    'RFC 7592 section 2',
    [
      '登録の管理用トークンが、このアプリの今のものではありません。',
      '変更のたびに新しくなるので、最後の応答のregistration_access_tokenを使います。',
    ],
    [
      'The registration access token is not the client’s present one.',
      'It changes with every update: use the registration_access_token of the last answer.',
    ],
  ),
  'registration.metadata': rule(
    'RFC 7591 section 2',
    ['登録内容が決まりに合いません。', '示された項目を直します。'],
    ['The client metadata breaks a rule.', 'Correct the member that is named.'],
  ),
  'logout.redirect_uri': rule(
    'OIDC RP-Initiated Logout section 3',
    [
      'post_logout_redirect_uriは、登録したものと1文字も違わないことが必要です。',
      'アプリを直すか、`kenpo-idp client update ID --post-logout-uri`で登録します（登録は全件の置き換えです）。',
    ],
    [
      'The post_logout_redirect_uri must equal a registered one, character by character.',
      'Correct the app, or register it: `kenpo-idp client update ID --post-logout-uri` (which replaces the whole list).',
    ],
  ),
  'logout.hint': rule(
    'OIDC RP-Initiated Logout section 4',
    [
      'id_token_hintを、このissuerのIDトークンとして確かめられません。',
      '最後に受け取ったIDトークンをそのまま送ります（期限切れでもかまいません）。',
    ],
    [
      'The id_token_hint does not verify as an ID token of this issuer.',
      'Send the last ID token unchanged; an expired one will do.',
    ],
  ),
  'logout.client': rule(
    'OIDC RP-Initiated Logout section 2 (client_id)',
    [
      'client_idが、id_token_hintの発行先（aud）と違います。',
      '同じアプリの値を送るか、client_idを外します。',
    ],
    [
      'The client_id is not the audience of the id_token_hint.',
      'Send both of the same client, or leave client_id out.',
    ],
  ),
  'logout.form': rule(
    'OIDC RP-Initiated Logout section 2',
    [
      'ログアウトの確認画面が古いか、別のブラウザのものです。',
      'アプリからログアウトをやり直します。',
    ],
    [
      'The page that confirms the logout is too old, or another browser’s.',
      'Start the logout again from the app.',
    ],
  ),
  'server.fault': rule(
    'RFC 6749 section 4.1.2.1 (server_error)',
    [
      'このサーバーの不具合か、データストアの障害です。',
      'この番号のログの行（reqId）の`err`を見ます。',
    ],
    [
      'A fault of this server or of its stores.',
      'Read `err` in the log line that has this number as its reqId.',
    ],
  ),
  other: rule(
    'RFC 6749 section 5.2',
    ['要求が規格に合いません。', '説明に挙げた点を直します。'],
    ['The request does not keep to the standard.', 'Correct what the description names.'],
  ),
} as const satisfies Readonly<Record<string, Rule>>
export type RuleId = keyof typeof RULES
