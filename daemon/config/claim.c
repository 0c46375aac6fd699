/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/claim.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/config/claim-token.h"
#include "daemon/config/secret-path.h"
#include "daemon/crypto/key.h"
#include "daemon/crypto/sas.h"
#include "protocol/dps/name.h"

#define TRUSTED_SYSTEM "system"

/* The roots that AWS IoT's ATS endpoints chain up to (AWS IoT developer guide, "Server
 * authentication"). The system's bundle has far more, of which none can vouch for a broker. */
static const char *const aws_roots[] = {
        CLAIM_ROOTS_FOLDER "/Amazon_Root_CA_1.crt",
        CLAIM_ROOTS_FOLDER "/Amazon_Root_CA_2.crt",
        CLAIM_ROOTS_FOLDER "/Amazon_Root_CA_3.crt",
        CLAIM_ROOTS_FOLDER "/Amazon_Root_CA_4.crt",
        CLAIM_ROOTS_FOLDER "/Starfield_Services_Root_Certificate_Authority_-_G2.crt",
};

/* What DPS and IoT Hub chain up to, today and after the move that is announced ("Azure IoT TLS:
 * Critical changes are almost here", and azure-iot-sdk-c, certs/). */
static const char *const azure_roots[] = {
        CLAIM_ROOTS_FOLDER "/DigiCert_Global_Root_G2.crt",
        CLAIM_ROOTS_FOLDER "/Microsoft_RSA_Root_Certificate_Authority_2017.crt",
};

Claim *claim_free(Claim *c) {
        if (!c)
                return NULL;
        secret_free(c->trusted);
        secret_free(c->certificate);
        secret_free(c->private_key);
        token_key_unref(c->token_key);
        token_unref(c->key_store);
        secret_free(c->symmetric_key);
        secret_free(c->secondary_key);
        secret_free(c->proxy_credentials);
        certificate_free(c->description);
        free(c);
        return NULL;
}

static bool equal(const Secret *a, const Secret *b) {
        return a && b ? secret_equal(a, b) : a == b;
}

bool claim_equal(const Claim *a, const Claim *b) {
        if (!a || !b)
                return a == b;
        return equal(a->trusted, b->trusted) && equal(a->certificate, b->certificate) &&
               equal(a->private_key, b->private_key) &&
               token_key_equal(a->token_key, b->token_key) &&
               token_equal(a->key_store, b->key_store) &&
               equal(a->symmetric_key, b->symmetric_key) &&
               equal(a->secondary_key, b->secondary_key) &&
               equal(a->proxy_credentials, b->proxy_credentials);
}

void claim_files(const Profile *p, const char *ret[static CLAIM_FILES]) {
        ret[0] = streq_ptr(p->trusted_certificates, TRUSTED_SYSTEM) ? CLAIM_SYSTEM_ROOTS
                                                                    : p->trusted_certificates;
        ret[1] = p->certificate;
        ret[2] = p->private_key;
        ret[3] = p->private_key_password;
        ret[4] = p->dps.symmetric_key;
        ret[5] = p->dps.secondary_key;
        ret[6] = p->proxy.credentials_file;
        ret[7] = p->private_key_pin;
        ret[8] = p->key_store_pin;
}

/* Puts a line end and `more` behind *s. */
static int append(Secret **s, const Secret *more) {
        size_t size = *s ? (*s)->size + 1 : 0;
        Secret *both = secret_new(NULL, size + more->size);

        if (!both)
                return -ENOMEM;
        if (*s) {
                memcpy(both->data, (*s)->data, (*s)->size);
                both->data[size - 1] = '\n';
        }
        memcpy(both->data + size, more->data, more->size);
        secret_free(*s);
        *s = both;
        return 0;
}

/* Those of the provider's roots that the machine has; one is enough to try. */
static int load_provider_roots(Provider provider, Secret **ret, char **ret_why) {
        const bool azure = provider == PROVIDER_AZURE_DPS;
        const char *const *roots = azure ? azure_roots : aws_roots;
        const size_t n = azure ? ELEMENTSOF(azure_roots) : ELEMENTSOF(aws_roots);
        _cleanup_secret_ Secret *all = NULL;

        for (size_t i = 0; i < n; i++) {
                _cleanup_secret_ Secret *one = NULL;
                int r;

                r = path_read(roots[i], "root certificate", CERTIFICATE_PEM_MAX, &one, NULL);
                if (r == -ENOMEM)
                        return r;
                if (r >= 0)
                        r = append(&all, one);
                if (r == -ENOMEM)
                        return r;
        }
        if (!all) {
                *ret_why =
                        strdup("none of the provider's root certificates is in " CLAIM_ROOTS_FOLDER
                               "; install ca-certificates, or name a file "
                               "with TrustedCertificates=");
                return -ENOENT;
        }
        *ret = TAKE_PTR(all);
        return 0;
}

static int load_trusted(const Profile *p, Secret **ret, char **ret_why) {
        if (!p->trusted_certificates)
                return load_provider_roots(p->provider, ret, ret_why);
        if (streq(p->trusted_certificates, TRUSTED_SYSTEM))
                return path_read(CLAIM_SYSTEM_ROOTS, "the system's root certificates",
                                 CERTIFICATE_BUNDLE_MAX, ret, ret_why);
        return path_read(p->trusted_certificates,
                         "the file of TrustedCertificates=", CERTIFICATE_BUNDLE_MAX, ret, ret_why);
}

static int load_proxy_credentials(const Profile *p, Secret **ret, char **ret_why) {
        static const char what[] = "the file of ProxyCredentials=";
        _cleanup_secret_ Secret *file = NULL;
        const char *why = NULL;
        int r;

        if (!p->proxy.credentials_file) {
                *ret = secret_copy(p->proxy.credentials);
                return p->proxy.credentials && !*ret ? -ENOMEM : 0;
        }
        r = secret_path_read(p->proxy.credentials_file, what, PROXY_CREDENTIALS_MAX + 2, &file,
                             ret_why);
        if (r >= 0)
                r = proxy_credentials_read(file, ret, &why);
        if (why && asprintf(ret_why, "%s %s: %s", what, p->proxy.credentials_file, why) < 0)
                *ret_why = NULL;
        return r;
}

/* Prefixes what the crypto folder says with the file it is about. */
static int name_file(int r, const char *what, const char *path, char *why, char **ret_why) {
        if (r != -ENOMEM &&
            asprintf(ret_why, "%s %s: %s", what, path, why ? why : "out of memory") < 0)
                *ret_why = NULL;
        free(why);
        return r;
}

static int load_certificate(const Profile *p, Claim *c, char **ret_why) {
        static const char what[] = "the claim's certificate";
        char *why = NULL;
        int r;

        r = path_read(p->certificate, what, CERTIFICATE_PEM_MAX, &c->certificate, ret_why);
        if (r < 0)
                return r;
        r = certificate_parse(secret_text(c->certificate), c->certificate->size, &c->description,
                              &why);
        return r < 0 ? name_file(r, what, p->certificate, why, ret_why) : 0;
}

static int load_key(const Profile *p, CryptoKey **ret, char **ret_why) {
        static const char what[] = "the claim's private key";
        _cleanup_secret_ Secret *pem = NULL, *password = NULL;
        char *why = NULL;
        int r;

        r = secret_path_read(p->private_key, what, CRYPTO_KEY_PEM_MAX, &pem, ret_why);
        if (r < 0)
                return r;
        if (p->private_key_password) {
                r = secret_path_read(p->private_key_password,
                                     "the file of PrivateKeyPassword=", CRYPTO_KEY_PASSWORD_MAX,
                                     &password, ret_why);
                if (r < 0)
                        return r;
        }
        r = crypto_key_from_pem(pem, password, ret, &why);
        return r < 0 ? name_file(r, what, p->private_key, why, ret_why) : 0;
}

static int check_match(const Profile *p, CryptoKey *key, const Certificate *certificate,
                       ErrorCode *ret_code, char **ret_why) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = crypto_key_matches_certificate(key, certificate, &why);
        if (r != -EKEYREJECTED)
                return r;
        *ret_code = ERROR_KEY_MISMATCH;
        if (asprintf(ret_why, "%s and %s: %s", p->certificate, p->private_key, why ? why : "") < 0)
                *ret_why = NULL;
        return r;
}

static int load_symmetric_key(const char *path, const char *what, Secret **ret, char **ret_why) {
        _cleanup_secret_ Secret *text = NULL;
        char *why = NULL;
        int r;

        r = secret_path_read(path, what, SAS_KEY_TEXT_MAX, &text, ret_why);
        if (r < 0)
                return r;
        r = sas_key_read(text, ret, &why);
        return r < 0 ? name_file(r, what, path, why, ret_why) : 0;
}

static int load_symmetric_keys(const Profile *p, Claim *c, char **ret_why) {
        int r;

        r = load_symmetric_key(p->dps.symmetric_key, "the key of SymmetricKey=", &c->symmetric_key,
                               ret_why);
        if (r < 0 || !p->dps.secondary_key)
                return r;
        return load_symmetric_key(p->dps.secondary_key,
                                  "the key of SecondaryKey=", &c->secondary_key, ret_why);
}

/* A device of DPS is whom its certificate names ("X.509 certificate attestation"). One that a job
 * brings is looked at when it does. */
static int check_name(const Profile *p, const Certificate *certificate, char **ret_why) {
        const char *id = p->dps.registration_id;

        if (p->provider != PROVIDER_AZURE_DPS || !id ||
            dps_registration_id_equal(certificate->common_name, id))
                return 0;
        if (asprintf(ret_why,
                     "%s is the certificate of \"%s\", and not in the name of RegistrationId=%s: "
                     "DPS wants the common name (CN) to be the registration id; correct the one or "
                     "the other",
                     p->certificate, certificate->subject, id) < 0)
                *ret_why = NULL;
        return -EBADMSG;
}

static int load_pair(const Profile *p, TokenPool *tokens, Claim *c, ErrorCode *ret_code,
                     char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        int r;

        r = load_certificate(p, c, ret_why);
        if (r < 0)
                return r;
        r = check_name(p, c->description, ret_why);
        if (r < 0)
                return r;
        if (pkcs11_uri_is_one(p->private_key))
                return claim_load_token_key(p, tokens, c, ret_code, ret_why);
        r = load_key(p, &key, ret_why);
        if (r < 0)
                return r;
        r = check_match(p, key, c->description, ret_code, ret_why);
        if (r < 0)
                return r;
        return crypto_key_to_pem(key, &c->private_key);
}

static int load(const Profile *p, TokenPool *tokens, Claim *c, ErrorCode *ret_code,
                char **ret_why) {
        int r;

        r = p->dps.symmetric_key ? load_symmetric_keys(p, c, ret_why)
                                 : load_pair(p, tokens, c, ret_code, ret_why);
        if (r >= 0 && p->key_store)
                r = claim_load_key_store(p, tokens, c, ret_why);
        if (r < 0)
                return r;
        r = load_trusted(p, &c->trusted, ret_why);
        return r < 0 ? r : load_proxy_credentials(p, &c->proxy_credentials, ret_why);
}

static Failure *load_failure(const Profile *p, int r, ErrorCode code, const char *why) {
        if (why)
                return failure_new(code, "Profile %s: %s", p->name, why);
        return failure_from_errno(r, "Profile %s: the claim cannot be loaded", p->name);
}

int claim_load(const Profile *p, TokenPool *tokens, Claim **ret, Failure **ret_failure) {
        _cleanup_claim_ Claim *c = calloc(1, sizeof(Claim));
        _cleanup_free_ char *why = NULL;
        ErrorCode code = ERROR_NOT_INITIALIZED;
        int r;

        r = c ? load(p, tokens, c, &code, &why) : -ENOMEM;
        if (r >= 0) {
                *ret = TAKE_PTR(c);
                return 0;
        }
        *ret_failure = load_failure(p, r, code, why);
        return r;
}

int claim_load_way(const Profile *p, Secret **ret_trusted, Secret **ret_proxy_credentials,
                   Failure **ret_failure) {
        _cleanup_secret_ Secret *trusted = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        r = load_trusted(p, &trusted, &why);
        if (r >= 0)
                r = load_proxy_credentials(p, ret_proxy_credentials, &why);
        if (r < 0)
                *ret_failure = load_failure(p, r, ERROR_NOT_INITIALIZED, why);
        else
                *ret_trusted = TAKE_PTR(trusted);
        return r;
}
