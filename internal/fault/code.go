package fault

// A row of the protocol's table of codes.
type meaning struct {
	status int
	en, ko string
}

// Status is the HTTP status of a code; 500 for one that is not in the list.
func (c Code) Status() int {
	if m, ok := meanings[c]; ok {
		return m.status
	}
	return meanings[Internal].status
}

// Sentence is what a person reads: what happened and what to do. language is "ko" or anything else for English.
func (c Code) Sentence(language string) string {
	m, ok := meanings[c]
	if !ok {
		m = meanings[Internal]
	}
	if language == "ko" {
		return m.ko
	}
	return m.en
}

// Codes lists every code, in no order.
func Codes() []Code {
	codes := make([]Code, 0, len(meanings))
	for code := range meanings {
		codes = append(codes, code)
	}
	return codes
}

var meanings = map[Code]meaning{
	TokenMissing:       {401, "Sign in to go on.", "계속하려면 로그인하세요."},
	TokenExpired:       {401, "Your access has to be renewed. Reload the page.", "접속을 갱신해야 합니다. 페이지를 새로 고치세요."},
	TokenMalformed:     {401, "This access token cannot be read. Sign in again.", "액세스 토큰을 읽을 수 없습니다. 다시 로그인하세요."},
	TokenInvalid:       {401, "This access token is not valid. Sign in again.", "유효하지 않은 액세스 토큰입니다. 다시 로그인하세요."},
	TokenNotYetValid:   {401, "This access token is not valid yet. Check the clock of this device, then sign in again.", "아직 유효하지 않은 액세스 토큰입니다. 기기의 시계를 확인한 뒤 다시 로그인하세요."},
	TokenWrongAudience: {401, "This access token is for another service. Reload the page.", "다른 서비스용 액세스 토큰입니다. 페이지를 새로 고치세요."},
	TokenStaleCheck:    {401, "Your company account has to be confirmed anew for this. Try again.", "이 작업을 하려면 회사 계정을 다시 확인해야 합니다. 다시 시도하세요."},

	SessionMissing:     {401, "You are not signed in. Sign in to go on.", "로그인되어 있지 않습니다. 계속하려면 로그인하세요."},
	SessionUnknown:     {401, "This session is not known here. Sign in again.", "알 수 없는 세션입니다. 다시 로그인하세요."},
	SessionExpired:     {401, "You were signed out after a long time. Sign in again.", "오랜 시간이 지나 로그아웃되었습니다. 다시 로그인하세요."},
	SessionSignedOut:   {401, "You signed out. Sign in to go on.", "로그아웃했습니다. 계속하려면 로그인하세요."},
	SessionReplaced:    {401, "This account signed in on another device, so you were signed out here. Sign in again to go on here; if it was not you, change your password.", "다른 기기에서 이 계정으로 로그인하여 여기서는 로그아웃되었습니다. 여기서 계속하려면 다시 로그인하고, 본인이 아니라면 비밀번호를 바꾸세요."},
	SessionRevoked:     {401, "This session was ended by you on another device or by an administrator. Sign in again.", "다른 기기에서 본인이, 또는 관리자가 이 세션을 종료했습니다. 다시 로그인하세요."},
	SessionCutOff:      {401, "Your company account could not be confirmed. Sign in again.", "회사 계정을 확인할 수 없었습니다. 다시 로그인하세요."},
	SessionUnconfirmed: {401, "Your company account has not been confirmed for too long. Sign in again.", "회사 계정을 오랫동안 확인하지 못했습니다. 다시 로그인하세요."},
	SessionReused:      {401, "For your safety this session was ended, because an old sign-in of it was used again. Sign in again.", "이전 로그인 정보가 다시 사용되어 안전을 위해 세션을 종료했습니다. 다시 로그인하세요."},

	CredentialsWrong: {401, "The login or the password is wrong, or there were too many tries. Check both; if they are right, wait a quarter of an hour.", "아이디 또는 비밀번호가 맞지 않거나 시도가 너무 많았습니다. 다시 확인하고, 맞게 입력했다면 15분 뒤에 다시 시도하세요."},

	RoleMissing:         {403, "Your roles do not allow this. Ask an administrator.", "권한이 없습니다. 관리자에게 문의하세요."},
	OriginRefused:       {403, "This page may not do that. Open it from its own address.", "이 페이지에서는 할 수 없는 요청입니다. 원래 주소에서 여세요."},
	DomainRefused:       {403, "This account does not belong to the company. Sign in with your company account.", "회사에 속한 계정이 아닙니다. 회사 계정으로 로그인하세요."},
	OperationUnknown:    {403, "The service does not document this operation.", "서비스가 문서화하지 않은 작업입니다."},
	OperationNotGranted: {403, "This operation is new and waits for an administrator's grant.", "새 작업이라 관리자의 승인을 기다리고 있습니다."},
	ReasonRequired:      {403, "Give a reason to go on.", "계속하려면 사유를 입력하세요."},

	NotFound:         {404, "There is nothing here. Check the address.", "찾을 수 없습니다. 주소를 확인하세요."},
	SessionLimit:     {409, "This account is signed in on as many devices as it may be. End one of them to go on.", "이 계정으로 로그인할 수 있는 기기 수를 넘었습니다. 다른 기기 하나를 로그아웃한 뒤 계속하세요."},
	ApprovalRequired: {409, "A second person has to approve this.", "다른 사람의 승인이 필요합니다."},
	EditConflict:     {412, "Somebody else changed this meanwhile. Look at the difference, then save again.", "그사이 다른 사람이 변경했습니다. 차이를 확인한 뒤 다시 저장하세요."},
	TooLarge:         {413, "This is too large. Send less at once.", "너무 큽니다. 나누어 보내세요."},
	RequestInvalid:   {422, "Something in this request is wrong. Correct what is marked.", "요청에 잘못된 값이 있습니다. 표시된 부분을 고치세요."},
	TooManyAttempts:  {429, "Too many attempts. Wait a little, then try again.", "시도가 너무 많습니다. 잠시 뒤 다시 시도하세요."},

	ServiceUnreachable:  {502, "The service does not answer. Try again later; you stay signed in.", "서비스가 응답하지 않습니다. 나중에 다시 시도하세요. 로그인은 유지됩니다."},
	UpstreamUnavailable: {503, "The company's sign-in does not answer. Try again later; you stay signed in.", "회사 로그인 시스템이 응답하지 않습니다. 나중에 다시 시도하세요. 로그인은 유지됩니다."},
	RevocationsStale:    {503, "It cannot be confirmed just now that your session still lives. Try again shortly; you stay signed in.", "지금은 세션이 유효한지 확인할 수 없습니다. 잠시 뒤 다시 시도하세요. 로그인은 유지됩니다."},
	StoreUnavailable:    {503, "The server cannot reach its data just now. Try again shortly; you stay signed in.", "서버가 지금 데이터에 접근할 수 없습니다. 잠시 뒤 다시 시도하세요. 로그인은 유지됩니다."},
	StoreRolledBack:     {503, "The server's data went back in time, and an administrator has to look at it. Try again later.", "서버의 데이터가 과거로 되돌아가 관리자가 확인해야 합니다. 나중에 다시 시도하세요."},

	Internal: {500, "Something went wrong here. Try again; if it stays, tell an administrator the request id.", "서버에 문제가 생겼습니다. 다시 시도하고, 계속되면 요청 번호를 관리자에게 알려 주세요."},
}
