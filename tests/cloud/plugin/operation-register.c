/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RegisterThing: a token becomes a thing, and its certificate active. */

#include <string.h>

#include "tests/cloud/plugin/operation.h"
#include "tests/cloud/plugin/template.h"
#include "tests/cloud/plugin/wake.h"

#define BAD_TOKEN "InvalidCertificateOwnershipToken"

static void reject_token(Cloud *cloud, const Connection *connection, Breach breach,
                         const Token *token, Outcome *ret) {
        record_breach(cloud->record, breach, connection->number, connection->id,
                      token ? token->certificate->id.hex : NULL);
        outcome_reject(ret, 400, BAD_TOKEN, "The certificate ownership token is not valid");
}

/* The token, if it is one to register with now; NULL with the rejection filled in otherwise. */
static Token *check_token(Cloud *cloud, const Connection *connection, const json_t *request,
                          Outcome *ret) {
        const char *text = json_string_value(json_object_get(request, "certificateOwnershipToken"));
        Token *token;

        if (!text) {
                outcome_reject(ret, 400, "InvalidPayload",
                               "certificateOwnershipToken is missing, or no string");
                return NULL;
        }
        token = registry_find_token(cloud->registry, text);
        if (!token)
                reject_token(cloud, connection, BREACH_TOKEN_UNKNOWN, NULL, ret);
        else if (!streq(token->owner.hex, connection->certificate.hex))
                reject_token(cloud, connection, BREACH_TOKEN_FOREIGN, token, ret);
        else if (token->spent && token->answered)
                reject_token(cloud, connection, BREACH_TOKEN_SPENT, token, ret);
        else if (token->spent) /* the client cannot know that: its answer was lost */
                outcome_reject(ret, 400, BAD_TOKEN, "The certificate ownership token was used");
        else if (wake_now() >= token->expires_usec)
                reject_token(cloud, connection, BREACH_TOKEN_EXPIRED, token, ret);
        else
                return token;
        return NULL;
}

/* Parameters are optional, and strings to strings. */
static bool parameters_are_valid(const json_t *request) {
        const json_t *parameters = json_object_get(request, "parameters");
        json_t *mutable = (json_t *) (uintptr_t) parameters; /* jansson's iterators are not const */
        const char *key;
        json_t *value;

        if (!parameters)
                return true;
        if (!json_is_object(parameters))
                return false;
        json_object_foreach(mutable, key, value)
                if (!json_is_string(value))
                        return false;
        return true;
}

static void reject_parameter(const Template *template, const char *what, Outcome *ret) {
        _cleanup_free_ char *message = NULL;

        if (asprintf(&message, "%s: %s", what, template->required) < 0)
                message = NULL;
        outcome_reject(ret, 400, "InvalidParameters", message ? message : what);
}

static json_t *make_configuration(const Template *template, const json_t *parameters,
                                  const Strike *strike) {
        const Fault *fault = strike->by[FAULT_CONFIGURATION];
        _cleanup_free_ char *filler = NULL;

        if (!fault)
                return template->configuration(template, parameters);
        if (streq(fault->value, "missing"))
                return NULL;
        if (streq(fault->value, "empty"))
                return json_object();
        if (streq(fault->value, "null"))
                return json_null();
        filler = malloc(fault->number + 1);
        if (!filler)
                return NULL;
        memset(filler, 'x', fault->number);
        filler[fault->number] = '\0';
        return json_pack("{s:s}", "Filler", filler);
}

static void activate(Token *token, const char *thing, const Strike *strike) {
        const Fault *slow = strike->by[FAULT_ACTIVATION_DELAY];
        Certificate *certificate = token->certificate;

        token->spent = true;
        certificate->state = strike->by[FAULT_INACTIVE] ? CERTIFICATE_INACTIVE : CERTIFICATE_ACTIVE;
        certificate->active_from_usec = slow ? wake_now() + slow->number * USEC_PER_MSEC : 0;
        free(certificate->thing);
        certificate->thing = strdup(thing);
}

void operation_register(Cloud *cloud, const Connection *connection, const char *template_name,
                        const json_t *request, const Strike *strike, Outcome *ret) {
        const Template *template = template_find(template_name);
        const json_t *parameters = json_object_get(request, "parameters");
        json_t *configuration;
        Token *token;

        if (!parameters_are_valid(request)) {
                outcome_reject(ret, 400, "InvalidPayload",
                               "parameters is no object of strings to strings");
                return;
        }
        if (!template) {
                outcome_reject(ret, 404, "ResourceNotFoundException",
                               "The provisioning template was not found");
                return;
        }
        token = check_token(cloud, connection, request, ret);
        if (!token)
                return;
        ret->certificate = token->certificate->id;
        if (!json_object_get(parameters, template->required)) {
                reject_parameter(template, "Missing required parameter", ret);
                return;
        }
        if (!template_hook_allows(template, parameters)) {
                outcome_reject(ret, 403, "ACCESS_DENIED",
                               "The pre-provisioning hook refused the request");
                return;
        }
        ret->thing = template_thing_name(template, parameters);
        if (!ret->thing) {
                reject_parameter(template, "Makes no valid thing name", ret);
                return;
        }
        activate(token, ret->thing, strike);
        ret->token = token;
        ret->accepted = true;
        ret->body = json_pack("{s:s}", "thingName",
                              strike->by[FAULT_FOREIGN] ? "thing-foreign" : ret->thing);
        configuration = make_configuration(template, parameters, strike);
        if (configuration)
                json_object_set_new(ret->body, "deviceConfiguration", configuration);
}
