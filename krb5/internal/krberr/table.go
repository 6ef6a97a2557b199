package krberr

// The tables of RFC 4120 §7.5.9, RFC 4556 §3.1.3, RFC 6113 §5.4.2 and RFC 8636
// §4 (0 to 127), of MIT's library (128 to 255), of its Kerberos mechanism, of
// its generic GSS layer and of its ASN.1 decoder.
const (
	KDCNameExp               Code = Krb5Base + 1
	KDCServiceExp            Code = Krb5Base + 2
	KDCBadPVNO               Code = Krb5Base + 3
	KDCCOldMasterKey         Code = Krb5Base + 4
	KDCSOldMasterKey         Code = Krb5Base + 5
	KDCClientUnknown         Code = Krb5Base + 6
	KDCServerUnknown         Code = Krb5Base + 7
	KDCNotUnique             Code = Krb5Base + 8
	KDCNullKey               Code = Krb5Base + 9
	KDCCannotPostdate        Code = Krb5Base + 10
	KDCNeverValid            Code = Krb5Base + 11
	KDCPolicy                Code = Krb5Base + 12
	KDCBadOption             Code = Krb5Base + 13
	KDCEtypeNosupp           Code = Krb5Base + 14
	KDCSumtypeNosupp         Code = Krb5Base + 15
	KDCPadataTypeNosupp      Code = Krb5Base + 16
	KDCTrtypeNosupp          Code = Krb5Base + 17
	KDCClientRevoked         Code = Krb5Base + 18
	KDCServiceRevoked        Code = Krb5Base + 19
	KDCTGTRevoked            Code = Krb5Base + 20
	KDCClientNotYet          Code = Krb5Base + 21
	KDCServiceNotYet         Code = Krb5Base + 22
	KDCKeyExpired            Code = Krb5Base + 23
	KDCPreauthFailed         Code = Krb5Base + 24
	KDCPreauthRequired       Code = Krb5Base + 25
	KDCServerNomatch         Code = Krb5Base + 26
	KDCMustUseUser2User      Code = Krb5Base + 27
	KDCPathNotAccepted       Code = Krb5Base + 28
	KDCSvcUnavailable        Code = Krb5Base + 29
	APBadIntegrity           Code = Krb5Base + 31
	APTktExpired             Code = Krb5Base + 32
	APTktNYV                 Code = Krb5Base + 33
	APRepeat                 Code = Krb5Base + 34
	APNotUs                  Code = Krb5Base + 35
	APBadMatch               Code = Krb5Base + 36
	APSkew                   Code = Krb5Base + 37
	APBadAddr                Code = Krb5Base + 38
	APBadVersion             Code = Krb5Base + 39
	APMsgType                Code = Krb5Base + 40
	APModified               Code = Krb5Base + 41
	APBadOrder               Code = Krb5Base + 42
	APIllCrTkt               Code = Krb5Base + 43
	APBadKeyVer              Code = Krb5Base + 44
	APNoKey                  Code = Krb5Base + 45
	APMutFail                Code = Krb5Base + 46
	APBadDirection           Code = Krb5Base + 47
	APMethod                 Code = Krb5Base + 48
	APBadSeq                 Code = Krb5Base + 49
	APInappCksum             Code = Krb5Base + 50
	APPathNotAccepted        Code = Krb5Base + 51
	KRBResponseTooBig        Code = Krb5Base + 52
	KRBGeneric               Code = Krb5Base + 60
	KRBFieldTooLong          Code = Krb5Base + 61
	KDCClientNotTrusted      Code = Krb5Base + 62
	KDCKDCNotTrusted         Code = Krb5Base + 63
	KDCInvalidSig            Code = Krb5Base + 64
	KDCDHParams              Code = Krb5Base + 65
	KDCCertMismatch          Code = Krb5Base + 66
	APNoTGT                  Code = Krb5Base + 67
	KDCWrongRealm            Code = Krb5Base + 68
	APUser2UserRequired      Code = Krb5Base + 69
	KDCCantVerifyCert        Code = Krb5Base + 70
	KDCInvalidCert           Code = Krb5Base + 71
	KDCRevokedCert           Code = Krb5Base + 72
	KDCRevocationUnknown     Code = Krb5Base + 73
	KDCRevocationUnavailable Code = Krb5Base + 74
	KDCClientNameMismatch    Code = Krb5Base + 75
	KDCKDCNameMismatch       Code = Krb5Base + 76
	KDCKeyPurpose            Code = Krb5Base + 77
	KDCDigestInCert          Code = Krb5Base + 78
	KDCPAChecksum            Code = Krb5Base + 79
	KDCDigestInSigned        Code = Krb5Base + 80
	KDCPKEncryption          Code = Krb5Base + 81
	IAKERBNotFound           Code = Krb5Base + 85
	IAKERBNoResponse         Code = Krb5Base + 86
	KDCPreauthExpired        Code = Krb5Base + 90
	KDCMorePreauth           Code = Krb5Base + 91
	KDCUnknownFAST           Code = Krb5Base + 93
	KDCNoKDF                 Code = Krb5Base + 100
	ParseIllChar             Code = Krb5Base + 133
	ParseMalformed           Code = Krb5Base + 134
	ConfigCantOpen           Code = Krb5Base + 135
	ConfigBadFormat          Code = Krb5Base + 136
	CCBadName                Code = Krb5Base + 139
	CCUnknownType            Code = Krb5Base + 140
	CCNotFound               Code = Krb5Base + 141
	CCEnd                    Code = Krb5Base + 142
	NoTktSupplied            Code = Krb5Base + 143
	APWrongPrinc             Code = Krb5Base + 144
	APTktInvalid             Code = Krb5Base + 145
	PrincNomatch             Code = Krb5Base + 146
	KDCRepModified           Code = Krb5Base + 147
	KDCRepSkew               Code = Krb5Base + 148
	ProgEtypeNosupp          Code = Krb5Base + 150
	WrongEtype               Code = Krb5Base + 152
	RealmUnknown             Code = Krb5Base + 154
	KDCUnreach               Code = Krb5Base + 156
	NoLocalName              Code = Krb5Base + 157
	MutualFailed             Code = Krb5Base + 158
	RCTypeNotFound           Code = Krb5Base + 161
	RCIO                     Code = Krb5Base + 164
	RCParse                  Code = Krb5Base + 166
	CryptoInternal           Code = Krb5Base + 178
	KTBadName                Code = Krb5Base + 179
	KTUnknownType            Code = Krb5Base + 180
	KTNotFound               Code = Krb5Base + 181
	KTEnd                    Code = Krb5Base + 182
	KTNoWrite                Code = Krb5Base + 183
	KTIOErr                  Code = Krb5Base + 184
	BadEnctype               Code = Krb5Base + 188
	BadKeySize               Code = Krb5Base + 189
	BadMsize                 Code = Krb5Base + 190
	CCIO                     Code = Krb5Base + 193
	FCCPerm                  Code = Krb5Base + 194
	FCCNoFile                Code = Krb5Base + 195
	FCCInternal              Code = Krb5Base + 196
	CCWrite                  Code = Krb5Base + 197
	CCFormat                 Code = Krb5Base + 199
	CCNotKtype               Code = Krb5Base + 200
	NoCredsSupplied          Code = Krb5Base + 203
	PreauthNoKey             Code = Krb5Base + 209
	PreauthFailed            Code = Krb5Base + 210
	RCacheBadVNO             Code = Krb5Base + 211
	CCacheBadVNO             Code = Krb5Base + 212
	KeytabBadVNO             Code = Krb5Base + 213
	BadHostname              Code = Krb5Base + 216
	HostRealmUnknown         Code = Krb5Base + 217
	SNameNameType            Code = Krb5Base + 218
	RealmCantResolve         Code = Krb5Base + 220
	TktNotForwardable        Code = Krb5Base + 221
	FwdBadPrincipal          Code = Krb5Base + 222
	GetInTktLoop             Code = Krb5Base + 223
	ConfigNoDefRealm         Code = Krb5Base + 224
	KTNameTooLong            Code = Krb5Base + 229
	KTKvnoNotFound           Code = Krb5Base + 230
	KTFormat                 Code = Krb5Base + 235
	NoPermEtype              Code = Krb5Base + 236
	ConfigEtypeNosupp        Code = Krb5Base + 237
	BadS2KParams             Code = Krb5Base + 244
	NoService                Code = Krb5Base + 245
	CCReadonly               Code = Krb5Base + 246
	CCNoSupp                 Code = Krb5Base + 247
	DeltatBadFormat          Code = Krb5Base + 248
	InvalidUTF8              Code = Krb5Base + 251
	FASTRequired             Code = Krb5Base + 252

	GSSCCacheNomatch      Code = mechBase + 0
	GSSKeytabNomatch      Code = mechBase + 1
	GSSTGTMissing         Code = mechBase + 2
	GSSNoSubkey           Code = mechBase + 3
	GSSContextEstablished Code = mechBase + 4
	GSSBadSignType        Code = mechBase + 5
	GSSBadLength          Code = mechBase + 6
	GSSCtxIncomplete      Code = mechBase + 7
	GSSBadSeq             Code = mechBase + 11
	GSSEmptyCCache        Code = mechBase + 12
	GSSNoCtypes           Code = mechBase + 13
	GSSLucidVersion       Code = mechBase + 14
	GSSInputTooLong       Code = mechBase + 15

	GSSBadServiceName    Code = glueBase + 0
	GSSBadStringUID      Code = glueBase + 1
	GSSNoUser            Code = glueBase + 2
	GSSValidateFailed    Code = glueBase + 3
	GSSWrongSize         Code = glueBase + 6
	GSSBadUsage          Code = glueBase + 7
	GSSUnknownQOP        Code = glueBase + 8
	GSSNoHostname        Code = glueBase + 9
	GSSBadHostname       Code = glueBase + 10
	GSSWrongMech         Code = glueBase + 11
	GSSBadTokHeader      Code = glueBase + 12
	GSSBadDirection      Code = glueBase + 13
	GSSTokTrunc          Code = glueBase + 14
	GSSReflect           Code = glueBase + 15
	GSSWrongTokID        Code = glueBase + 16
	GSSCredUsageMismatch Code = glueBase + 17
	GSSStoreAcceptor     Code = glueBase + 18
	GSSStoreNonDefault   Code = glueBase + 19

	ASN1ParseError Code = asn1Base + 9
)

// entry is a code's symbol and its words.
type entry struct{ name, text string }

var table = map[Code]entry{
	KDCNameExp:               {"KDC_ERR_NAME_EXP", "client's entry in database has expired"},
	KDCServiceExp:            {"KDC_ERR_SERVICE_EXP", "server's entry in database has expired"},
	KDCBadPVNO:               {"KDC_ERR_BAD_PVNO", "requested protocol version not supported"},
	KDCCOldMasterKey:         {"KDC_ERR_C_OLD_MAST_KVNO", "client's key is encrypted in an old master key"},
	KDCSOldMasterKey:         {"KDC_ERR_S_OLD_MAST_KVNO", "server's key is encrypted in an old master key"},
	KDCClientUnknown:         {"KDC_ERR_C_PRINCIPAL_UNKNOWN", "client not found in Kerberos database"},
	KDCServerUnknown:         {"KDC_ERR_S_PRINCIPAL_UNKNOWN", "server not found in Kerberos database"},
	KDCNotUnique:             {"KDC_ERR_PRINCIPAL_NOT_UNIQUE", "principal has multiple entries in Kerberos database"},
	KDCNullKey:               {"KDC_ERR_NULL_KEY", "client or server has a null key"},
	KDCCannotPostdate:        {"KDC_ERR_CANNOT_POSTDATE", "ticket is ineligible for postdating"},
	KDCNeverValid:            {"KDC_ERR_NEVER_VALID", "requested effective lifetime is negative or too short"},
	KDCPolicy:                {"KDC_ERR_POLICY", "KDC policy rejects request"},
	KDCBadOption:             {"KDC_ERR_BADOPTION", "KDC can't fulfill requested option"},
	KDCEtypeNosupp:           {"KDC_ERR_ETYPE_NOSUPP", "KDC has no support for encryption type"},
	KDCSumtypeNosupp:         {"KDC_ERR_SUMTYPE_NOSUPP", "KDC has no support for checksum type"},
	KDCPadataTypeNosupp:      {"KDC_ERR_PADATA_TYPE_NOSUPP", "KDC has no support for padata type"},
	KDCTrtypeNosupp:          {"KDC_ERR_TRTYPE_NOSUPP", "KDC has no support for transited type"},
	KDCClientRevoked:         {"KDC_ERR_CLIENT_REVOKED", "client's credentials have been revoked"},
	KDCServiceRevoked:        {"KDC_ERR_SERVICE_REVOKED", "credentials for server have been revoked"},
	KDCTGTRevoked:            {"KDC_ERR_TGT_REVOKED", "TGT has been revoked"},
	KDCClientNotYet:          {"KDC_ERR_CLIENT_NOTYET", "client not yet valid, try again later"},
	KDCServiceNotYet:         {"KDC_ERR_SERVICE_NOTYET", "server not yet valid, try again later"},
	KDCKeyExpired:            {"KDC_ERR_KEY_EXPIRED", "password has expired"},
	KDCPreauthFailed:         {"KDC_ERR_PREAUTH_FAILED", "preauthentication failed"},
	KDCPreauthRequired:       {"KDC_ERR_PREAUTH_REQUIRED", "additional pre-authentication required"},
	KDCServerNomatch:         {"KDC_ERR_SERVER_NOMATCH", "requested server and ticket don't match"},
	KDCMustUseUser2User:      {"KDC_ERR_MUST_USE_USER2USER", "server principal valid for user2user only"},
	KDCPathNotAccepted:       {"KDC_ERR_PATH_NOT_ACCEPTED", "KDC policy rejects transited path"},
	KDCSvcUnavailable:        {"KDC_ERR_SVC_UNAVAILABLE", "a service is not available that is required to process the request"},
	APBadIntegrity:           {"KRB_AP_ERR_BAD_INTEGRITY", "decrypt integrity check failed"},
	APTktExpired:             {"KRB_AP_ERR_TKT_EXPIRED", "ticket expired"},
	APTktNYV:                 {"KRB_AP_ERR_TKT_NYV", "ticket not yet valid"},
	APRepeat:                 {"KRB_AP_ERR_REPEAT", "request is a replay"},
	APNotUs:                  {"KRB_AP_ERR_NOT_US", "the ticket isn't for us"},
	APBadMatch:               {"KRB_AP_ERR_BADMATCH", "ticket and authenticator don't match"},
	APSkew:                   {"KRB_AP_ERR_SKEW", "clock skew too great"},
	APBadAddr:                {"KRB_AP_ERR_BADADDR", "incorrect net address"},
	APBadVersion:             {"KRB_AP_ERR_BADVERSION", "protocol version mismatch"},
	APMsgType:                {"KRB_AP_ERR_MSG_TYPE", "invalid message type"},
	APModified:               {"KRB_AP_ERR_MODIFIED", "message stream modified"},
	APBadOrder:               {"KRB_AP_ERR_BADORDER", "message out of order"},
	APIllCrTkt:               {"KRB_AP_ERR_ILL_CR_TKT", "illegal cross-realm ticket"},
	APBadKeyVer:              {"KRB_AP_ERR_BADKEYVER", "key version is not available"},
	APNoKey:                  {"KRB_AP_ERR_NOKEY", "service key not available"},
	APMutFail:                {"KRB_AP_ERR_MUT_FAIL", "mutual authentication failed"},
	APBadDirection:           {"KRB_AP_ERR_BADDIRECTION", "incorrect message direction"},
	APMethod:                 {"KRB_AP_ERR_METHOD", "alternative authentication method required"},
	APBadSeq:                 {"KRB_AP_ERR_BADSEQ", "incorrect sequence number in message"},
	APInappCksum:             {"KRB_AP_ERR_INAPP_CKSUM", "inappropriate type of checksum in message"},
	APPathNotAccepted:        {"KRB_AP_PATH_NOT_ACCEPTED", "policy rejects transited path"},
	KRBResponseTooBig:        {"KRB_ERR_RESPONSE_TOO_BIG", "response too big for UDP, retry with TCP"},
	KRBGeneric:               {"KRB_ERR_GENERIC", "generic error"},
	KRBFieldTooLong:          {"KRB_ERR_FIELD_TOOLONG", "field is too long for this implementation"},
	KDCClientNotTrusted:      {"KDC_ERR_CLIENT_NOT_TRUSTED", "client not trusted"},
	KDCKDCNotTrusted:         {"KDC_ERR_KDC_NOT_TRUSTED", "KDC not trusted"},
	KDCInvalidSig:            {"KDC_ERR_INVALID_SIG", "invalid signature"},
	KDCDHParams:              {"KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED", "key parameters not accepted"},
	KDCCertMismatch:          {"KDC_ERR_CERTIFICATE_MISMATCH", "certificate mismatch"},
	APNoTGT:                  {"KRB_AP_ERR_NO_TGT", "no ticket granting ticket"},
	KDCWrongRealm:            {"KDC_ERR_WRONG_REALM", "realm not local to KDC"},
	APUser2UserRequired:      {"KRB_AP_ERR_USER_TO_USER_REQUIRED", "user to user required"},
	KDCCantVerifyCert:        {"KDC_ERR_CANT_VERIFY_CERTIFICATE", "can't verify certificate"},
	KDCInvalidCert:           {"KDC_ERR_INVALID_CERTIFICATE", "invalid certificate"},
	KDCRevokedCert:           {"KDC_ERR_REVOKED_CERTIFICATE", "revoked certificate"},
	KDCRevocationUnknown:     {"KDC_ERR_REVOCATION_STATUS_UNKNOWN", "revocation status unknown"},
	KDCRevocationUnavailable: {"KDC_ERR_REVOCATION_STATUS_UNAVAILABLE", "revocation status unavailable"},
	KDCClientNameMismatch:    {"KDC_ERR_CLIENT_NAME_MISMATCH", "client name mismatch"},
	KDCKDCNameMismatch:       {"KDC_ERR_KDC_NAME_MISMATCH", "KDC name mismatch"},
	KDCKeyPurpose:            {"KDC_ERR_INCONSISTENT_KEY_PURPOSE", "inconsistent key purpose"},
	KDCDigestInCert:          {"KDC_ERR_DIGEST_IN_CERT_NOT_ACCEPTED", "digest in certificate not accepted"},
	KDCPAChecksum:            {"KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED", "checksum must be included"},
	KDCDigestInSigned:        {"KDC_ERR_DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED", "digest in signed-data not accepted"},
	KDCPKEncryption:          {"KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED", "public key encryption not supported"},
	IAKERBNotFound:           {"KRB_AP_ERR_IAKERB_KDC_NOT_FOUND", "the IAKERB proxy could not find a KDC"},
	IAKERBNoResponse:         {"KRB_AP_ERR_IAKERB_KDC_NO_RESPONSE", "the KDC did not respond to the IAKERB proxy"},
	KDCPreauthExpired:        {"KDC_ERR_PREAUTH_EXPIRED", "preauthentication expired"},
	KDCMorePreauth:           {"KDC_ERR_MORE_PREAUTH_DATA_REQUIRED", "more preauthentication data is required"},
	KDCUnknownFAST:           {"KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTION", "an unsupported critical FAST option was requested"},
	KDCNoKDF:                 {"KDC_ERR_NO_ACCEPTABLE_KDF", "no acceptable KDF offered"},
	ParseIllChar:             {"KRB5_PARSE_ILLCHAR", "illegal character in component name"},
	ParseMalformed:           {"KRB5_PARSE_MALFORMED", "malformed representation of principal"},
	ConfigCantOpen:           {"KRB5_CONFIG_CANTOPEN", "can't open or find Kerberos configuration file"},
	ConfigBadFormat:          {"KRB5_CONFIG_BADFORMAT", "improper format of Kerberos configuration file"},
	CCBadName:                {"KRB5_CC_BADNAME", "credential cache name malformed"},
	CCUnknownType:            {"KRB5_CC_UNKNOWN_TYPE", "unknown credential cache type"},
	CCNotFound:               {"KRB5_CC_NOTFOUND", "matching credential not found"},
	CCEnd:                    {"KRB5_CC_END", "end of credential cache reached"},
	NoTktSupplied:            {"KRB5_NO_TKT_SUPPLIED", "request did not supply a ticket"},
	APWrongPrinc:             {"KRB5KRB_AP_WRONG_PRINC", "wrong principal in request"},
	APTktInvalid:             {"KRB5KRB_AP_ERR_TKT_INVALID", "ticket has invalid flag set"},
	PrincNomatch:             {"KRB5_PRINC_NOMATCH", "requested principal and ticket don't match"},
	KDCRepModified:           {"KRB5_KDCREP_MODIFIED", "KDC reply did not match expectations"},
	KDCRepSkew:               {"KRB5_KDCREP_SKEW", "clock skew too great in KDC reply"},
	ProgEtypeNosupp:          {"KRB5_PROG_ETYPE_NOSUPP", "program lacks support for encryption type"},
	WrongEtype:               {"KRB5_WRONG_ETYPE", "requested encryption type not used in message"},
	RealmUnknown:             {"KRB5_REALM_UNKNOWN", "cannot find KDC for requested realm"},
	KDCUnreach:               {"KRB5_KDC_UNREACH", "cannot contact any KDC for requested realm"},
	NoLocalName:              {"KRB5_NO_LOCALNAME", "no local name found for principal name"},
	MutualFailed:             {"KRB5_MUTUAL_FAILED", "mutual authentication failed"},
	RCTypeNotFound:           {"KRB5_RC_TYPE_NOTFOUND", "replay cache type is unknown"},
	RCIO:                     {"KRB5_RC_IO", "replay cache I/O operation failed"},
	RCParse:                  {"KRB5_RC_PARSE", "replay cache type and name not in the right form"},
	CryptoInternal:           {"KRB5_CRYPTO_INTERNAL", "cryptosystem internal error"},
	KTBadName:                {"KRB5_KT_BADNAME", "key table name malformed"},
	KTUnknownType:            {"KRB5_KT_UNKNOWN_TYPE", "unknown key table type"},
	KTNotFound:               {"KRB5_KT_NOTFOUND", "key table entry not found"},
	KTEnd:                    {"KRB5_KT_END", "end of key table reached"},
	KTNoWrite:                {"KRB5_KT_NOWRITE", "cannot write to specified key table"},
	KTIOErr:                  {"KRB5_KT_IOERR", "error writing to key table"},
	BadEnctype:               {"KRB5_BAD_ENCTYPE", "bad encryption type"},
	BadKeySize:               {"KRB5_BAD_KEYSIZE", "key size is incompatible with encryption type"},
	BadMsize:                 {"KRB5_BAD_MSIZE", "message size is incompatible with encryption type"},
	CCIO:                     {"KRB5_CC_IO", "credential cache I/O operation failed"},
	FCCPerm:                  {"KRB5_FCC_PERM", "credential cache permissions incorrect"},
	FCCNoFile:                {"KRB5_FCC_NOFILE", "no credential cache found"},
	FCCInternal:              {"KRB5_FCC_INTERNAL", "internal credential cache error"},
	CCWrite:                  {"KRB5_CC_WRITE", "error writing to credential cache"},
	CCFormat:                 {"KRB5_CC_FORMAT", "bad format in credential cache"},
	CCNotKtype:               {"KRB5_CC_NOT_KTYPE", "no credentials found with supported encryption types"},
	NoCredsSupplied:          {"KRB5_NO_CREDS_SUPPLIED", "no credentials supplied"},
	PreauthNoKey:             {"KRB5_PREAUTH_NO_KEY", "unable to find a key for preauthentication"},
	PreauthFailed:            {"KRB5_PREAUTH_FAILED", "generic preauthentication failure"},
	RCacheBadVNO:             {"KRB5_RCACHE_BADVNO", "unsupported replay cache format version number"},
	CCacheBadVNO:             {"KRB5_CCACHE_BADVNO", "unsupported credential cache format version number"},
	KeytabBadVNO:             {"KRB5_KEYTAB_BADVNO", "unsupported key table format version number"},
	BadHostname:              {"KRB5_ERR_BAD_HOSTNAME", "hostname cannot be canonicalized"},
	HostRealmUnknown:         {"KRB5_ERR_HOST_REALM_UNKNOWN", "cannot determine realm for host"},
	SNameNameType:            {"KRB5_SNAME_UNSUPP_NAMETYPE", "conversion to service principal undefined for name type"},
	RealmCantResolve:         {"KRB5_REALM_CANT_RESOLVE", "cannot resolve network address for KDC in requested realm"},
	TktNotForwardable:        {"KRB5_TKT_NOT_FORWARDABLE", "requesting ticket can't get forwardable tickets"},
	FwdBadPrincipal:          {"KRB5_FWD_BAD_PRINCIPAL", "bad principal name while trying to forward credentials"},
	GetInTktLoop:             {"KRB5_GET_IN_TKT_LOOP", "looping detected inside initial ticket exchange"},
	ConfigNoDefRealm:         {"KRB5_CONFIG_NODEFREALM", "configuration does not specify default realm"},
	KTNameTooLong:            {"KRB5_KT_NAME_TOOLONG", "key table name too long"},
	KTKvnoNotFound:           {"KRB5_KT_KVNONOTFOUND", "key version number for principal in key table is incorrect"},
	KTFormat:                 {"KRB5_KT_FORMAT", "bad format in key table"},
	NoPermEtype:              {"KRB5_NOPERM_ETYPE", "encryption type not permitted"},
	ConfigEtypeNosupp:        {"KRB5_CONFIG_ETYPE_NOSUPP", "no supported encryption types (config file error?)"},
	BadS2KParams:             {"KRB5_ERR_BAD_S2K_PARAMS", "invalid key generation parameters from KDC"},
	NoService:                {"KRB5_ERR_NO_SERVICE", "service not available"},
	CCReadonly:               {"KRB5_CC_READONLY", "credential cache is read-only"},
	CCNoSupp:                 {"KRB5_CC_NOSUPP", "operation not supported by the credential cache type"},
	DeltatBadFormat:          {"KRB5_DELTAT_BADFORMAT", "invalid format of Kerberos lifetime or clock skew string"},
	InvalidUTF8:              {"KRB5_ERR_INVALID_UTF8", "invalid UTF-8 string"},
	FASTRequired:             {"KRB5_ERR_FAST_REQUIRED", "FAST protected pre-authentication required but not supported by KDC"},
	GSSCCacheNomatch:         {"KG_CCACHE_NOMATCH", "principal in credential cache does not match desired name"},
	GSSKeytabNomatch:         {"KG_KEYTAB_NOMATCH", "no principal in keytab matches desired name"},
	GSSTGTMissing:            {"KG_TGT_MISSING", "credential cache has no TGT"},
	GSSNoSubkey:              {"KG_NO_SUBKEY", "authenticator has no subkey"},
	GSSContextEstablished:    {"KG_CONTEXT_ESTABLISHED", "context is already fully established"},
	GSSBadSignType:           {"KG_BAD_SIGN_TYPE", "unknown signature type in token"},
	GSSBadLength:             {"KG_BAD_LENGTH", "invalid field length in token"},
	GSSCtxIncomplete:         {"KG_CTX_INCOMPLETE", "attempt to use incomplete security context"},
	GSSBadSeq:                {"KG_BAD_SEQ", "sequence number in token is corrupt"},
	GSSEmptyCCache:           {"KG_EMPTY_CCACHE", "credential cache is empty"},
	GSSNoCtypes:              {"KG_NO_CTYPES", "acceptor and initiator share no checksum types"},
	GSSLucidVersion:          {"KG_LUCID_VERSION", "requested lucid context version not supported"},
	GSSInputTooLong:          {"KG_INPUT_TOO_LONG", "PRF input too long"},
	GSSBadServiceName:        {"G_BAD_SERVICE_NAME", "no @ in SERVICE-NAME name string"},
	GSSBadStringUID:          {"G_BAD_STRING_UID", "STRING-UID-NAME contains nondigits"},
	GSSNoUser:                {"G_NOUSER", "UID does not resolve to username"},
	GSSValidateFailed:        {"G_VALIDATE_FAILED", "validation error"},
	GSSWrongSize:             {"G_WRONG_SIZE", "buffer is the wrong size"},
	GSSBadUsage:              {"G_BAD_USAGE", "credential usage type is unknown"},
	GSSUnknownQOP:            {"G_UNKNOWN_QOP", "unknown quality of protection specified"},
	GSSNoHostname:            {"G_NO_HOSTNAME", "local host name could not be determined"},
	GSSBadHostname:           {"G_BAD_HOSTNAME", "hostname in SERVICE-NAME string could not be canonicalized"},
	GSSWrongMech:             {"G_WRONG_MECH", "mechanism is incorrect"},
	GSSBadTokHeader:          {"G_BAD_TOK_HEADER", "token header is malformed or corrupt"},
	GSSBadDirection:          {"G_BAD_DIRECTION", "packet was replayed in wrong direction"},
	GSSTokTrunc:              {"G_TOK_TRUNC", "token is missing data"},
	GSSReflect:               {"G_REFLECT", "token was reflected"},
	GSSWrongTokID:            {"G_WRONG_TOKID", "received token ID does not match expected token ID"},
	GSSCredUsageMismatch:     {"G_CRED_USAGE_MISMATCH", "the given credential's usage does not match the requested usage"},
	GSSStoreAcceptor:         {"G_STORE_ACCEPTOR_CRED_NOSUPP", "storing of acceptor credentials is not supported by the mechanism"},
	GSSStoreNonDefault:       {"G_STORE_NON_DEFAULT_CRED_NOSUPP", "storing of non-default credentials is not supported by the mechanism"},
	ASN1ParseError:           {"ASN1_PARSE_ERROR", "ASN.1 parse error"},
}
