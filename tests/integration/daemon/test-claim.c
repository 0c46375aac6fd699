/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A claim's files appear, change, and are replaced by others that the service does not take. */

#include <stdio.h>
#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

/* Takes over the claim of that name, as `claims/device.pem` and `.key` of the daemon's place; from
 * the cloud's folder, or from the daemon's. */
static void bring(Place *from, const char *name) {
        static const struct {
                const char *end;
                mode_t mode;
        } files[] = {{"pem", 0644}, {"key", 0600}};

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                const char *end = files[i].end;
                _cleanup_free_ char *text =
                        file_read(place_path(from, place_text(&d.place, "%s.%s", name, end)), NULL);
                const char *fresh;

                ck_assert_ptr_nonnull(text);
                fresh = place_write(&d.place, place_text(&d.place, "fresh.%s", end), files[i].mode,
                                    text);
                ck_assert_int_eq(
                        rename(fresh,
                               place_path(&d.place, place_text(&d.place, "claims/device.%s", end))),
                        0);
        }
}

static void make_folder(void) {
        ck_assert_int_eq(mkdir(place_path(&d.place, "claims"), 0755), 0);
}

static void start(bool with_claim) {
        daemon_make(&d);
        if (with_claim) {
                make_folder();
                bring(&cloud.place, "claim");
        }
        daemon_configure(&d, cloud_profile(&cloud, "aws",
                                           place_text(&d.place,
                                                      "Certificate=%s/claims/device.pem\n"
                                                      "PrivateKey=%s/claims/device.key\n",
                                                      d.place.dir, d.place.dir)));
        daemon_start(&d);
        client = agent_open(d.socket);
        if (with_claim)
                daemon_wait_session(&d, "aws", "ready");
}

static const char *fingerprint(void) {
        fleetprov_status *status = agent_status(client);
        const char *text = fleetprov_status_get_claim_fingerprint(status, 0);
        const char *copy = place_text(&d.place, "%s", text ? text : "");

        fleetprov_status_free(status);
        return copy;
}

static void must_provision(const char *serial) {
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = serial}),
                       FLEETPROV_STATE_SUCCEEDED);
}

START_TEST(claim_is_waited_for_with_its_folder)
{
        start(false);
        ck_assert_str_eq(fingerprint(), "");
        make_folder();
        bring(&cloud.place, "claim");
        daemon_wait_session(&d, "aws", "ready");
        must_provision("late");
}
END_TEST

START_TEST(another_claim_is_taken_up)
{
        const char *before;

        start(true);
        before = fingerprint();
        bring(&cloud.place, "claim-2");
        WAIT_FOR(!streq(fingerprint(), before));
        daemon_wait_session(&d, "aws", "ready");
        must_provision("second");
}
END_TEST

/* claim-2, its key encrypted so that opening it takes its time. */
static void make_slow_claim(void) {
        const char *const convert[] = {"openssl",
                                       "pkcs8",
                                       "-topk8",
                                       "-v2",
                                       "aes-256-cbc",
                                       "-iter",
                                       "2000000",
                                       "-passout",
                                       "pass:secret",
                                       "-in",
                                       place_path(&cloud.place, "claim-2.key"),
                                       "-out",
                                       place_path(&d.place, "slow.key"),
                                       NULL};
        const char *const copy[] = {"cp", place_path(&cloud.place, "claim-2.pem"),
                                    place_path(&d.place, "slow.pem"), NULL};

        ck_assert_int_eq(process_run(convert, NULL, NULL), 0);
        ck_assert_int_eq(process_run(copy, NULL, NULL), 0);
}

static void start_with_password(void) {
        (void) place_write(&d.place, "password", 0600, "secret\n");
        daemon_configure(&d, cloud_profile(&cloud, "aws",
                                           place_text(&d.place,
                                                      "Certificate=%s/claims/device.pem\n"
                                                      "PrivateKey=%s/claims/device.key\n"
                                                      "PrivateKeyPassword=%s/password\n",
                                                      d.place.dir, d.place.dir, d.place.dir)));
        daemon_start(&d);
        client = agent_open(d.socket);
}

/* Two million rounds of PBKDF2 are a second or two; callers do not wait for them. The pair may be
 * read once in between, while only one of its files is the new one: that reading is a short one,
 * and it counts as well when a caller is answered meanwhile. */
START_TEST(slow_key_holds_up_nobody)
{
        static const char reading[] = "reading its claim", is_read[] = "its claim is read";
        const char *before, *now;
        unsigned answered = 0;

        daemon_make(&d);
        make_folder();
        bring(&cloud.place, "claim");
        make_slow_claim();
        start_with_password();
        daemon_wait_session(&d, "aws", "ready");
        before = fingerprint();
        bring(&d.place, "slow");
        do {
                now = fingerprint();
                answered += file_count_lines(d.log, reading, NULL) >
                            file_count_lines(d.log, is_read, NULL);
        } while (streq(now, before));
        ck_assert_uint_gt(answered, 0);
        daemon_wait_session(&d, "aws", "ready");
        must_provision("slow");
}
END_TEST

/* It is read by the worker then, too, and a request that comes meanwhile finds it. */
START_TEST(slow_key_holds_up_no_start)
{
        daemon_make(&d);
        make_folder();
        make_slow_claim();
        bring(&d.place, "slow");
        start_with_password();
        must_provision("early");
        ck_assert(file_has(d.log, "its claim is read"));
}
END_TEST

START_TEST(former_claim_serves_until_the_new_one_connects)
{
        const char *before;

        start(true);
        before = fingerprint();
        place_self_signed(&d.place, "foreign", "foreign.example", "90");
        bring(&d.place, "foreign");
        WAIT_FOR(file_has(d.log, "the former claim serves on"));
        daemon_wait_session(&d, "aws", "ready");
        ck_assert_str_eq(fingerprint(), before);
        must_provision("former");
        /* What was refused once bars nobody else's way. */
        bring(&cloud.place, "claim-2");
        WAIT_FOR(!streq(fingerprint(), before));
        daemon_wait_session(&d, "aws", "ready");
        must_provision("after");
}
END_TEST

/* As AWS IoT Core does it to whom the policy does not allow iot:Connect. */
START_TEST(former_claim_serves_while_the_new_one_is_dropped)
{
        const char *before;

        start(true);
        before = fingerprint();
        cloud_add(&cloud, "connect-drop", "--always");
        bring(&cloud.place, "claim-2");
        WAIT_FOR(file_has(d.log, "the former claim serves on"));
        cloud_clear(&cloud);
        daemon_wait_session(&d, "aws", "ready");
        ck_assert_str_eq(fingerprint(), before);
        must_provision("dropped");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: claim");
        TCase *tc = stage_alone(suite, "claim");

        tcase_add_test(tc, claim_is_waited_for_with_its_folder);
        tcase_add_test(tc, another_claim_is_taken_up);
        tcase_add_test(tc, slow_key_holds_up_nobody);
        tcase_add_test(tc, slow_key_holds_up_no_start);
        tcase_add_test(tc, former_claim_serves_until_the_new_one_connects);
        tcase_add_test(tc, former_claim_serves_while_the_new_one_is_dropped);
        return stage_run(suite);
}
