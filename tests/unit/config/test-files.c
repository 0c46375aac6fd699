/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which files are read, in which order, and what masks what. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/config/config-file.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

#define ETC "etc/fleetprovd/fleetprovd.conf"
#define RUN "run/fleetprovd/fleetprovd.conf"
#define USR "usr/lib/fleetprovd/fleetprovd.conf"

static Config *load_default(void) {
        const char *root = fixture_path(".");
        Config *c = NULL;
        char *why = NULL;

        ck_assert_msg(config_load_root(root, NULL, &c, &why) == 0, "%s", why ? why : "");
        return c;
}

static char *refused_default(void) {
        Config *c = NULL;
        char *why = NULL;

        ck_assert_int_eq(config_load_root(fixture_path("."), NULL, &c, &why), -EINVAL);
        ck_assert_ptr_nonnull(why);
        return why;
}

START_TEST(no_file_at_all_is_a_configuration)
{
        _cleanup_config_ Config *c = load_default();

        ck_assert_uint_eq(c->n_files, 0);
        ck_assert_uint_eq(c->n_profiles, 0);
}
END_TEST

START_TEST(a_named_file_must_be_there)
{
        const char *path = fixture_path("none.conf");
        _cleanup_free_ char *why = NULL;
        Config *c = NULL;

        ck_assert_int_eq(config_load(path, &c, &why), -EINVAL);
        assert_contains(why, path);
        assert_contains(why, "no such file");
}
END_TEST

START_TEST(a_folder_is_no_file)
{
        _cleanup_free_ char *why = NULL;
        Config *c = NULL;

        ck_assert_int_eq(config_load(fixture_path("."), &c, &why), -EINVAL);
        assert_contains(why, "cannot be read");
}
END_TEST

START_TEST(later_drop_ins_replace_keys)
{
        _cleanup_config_ Config *c = NULL;

        fixture_write(ETC, "[Daemon]\nMaxJobs=1\nMaxJobsPerUser=1\nRetainSec=1\nBus=none\n");
        fixture_write(ETC ".d/20-b.conf", "[Daemon]\nMaxJobsPerUser=3\n");
        fixture_write(ETC ".d/10-a.conf", "[Daemon]\nMaxJobsPerUser=2\nMaxJobs=2\nBus=\n");
        fixture_write(ETC ".d/30-c.conf.bak", "[Daemon]\nMaxJobs=9\n");
        fixture_write(ETC ".d/.hidden.conf", "[Daemon]\nMaxJobs=9\n");
        c = load_default();
        ck_assert_uint_eq(c->max_jobs, 2);
        ck_assert_uint_eq(c->max_jobs_per_user, 3);
        ck_assert_uint_eq(c->retain_usec, USEC_PER_SEC);
        ck_assert_str_eq(c->bus, "system"); /* "Bus=" went back to the default */
        ck_assert_uint_eq(c->n_files, 3);
        assert_contains(c->files[0], ETC);
        assert_contains(c->files[1], "10-a.conf");
        assert_contains(c->files[2], "20-b.conf");
}
END_TEST

START_TEST(a_profile_is_put_together_from_several_files)
{
        _cleanup_config_ Config *c = NULL;

        fixture_write(USR, fixture_profile("Template=Vendor\nParameter.Model=X\n"));
        fixture_write(ETC ".d/site.conf", "[Profile aws]\nEndpoint=site.example.com\n"
                                          "Parameter.Site=1\nParameter.Model=\n");
        c = load_default();
        ck_assert_uint_eq(c->n_profiles, 1);
        ck_assert_str_eq(c->profiles[0]->endpoint, "site.example.com");
        ck_assert_str_eq(c->profiles[0]->template_name, "Vendor");
        ck_assert_uint_eq(c->profiles[0]->fixed_parameters.n, 1);
        ck_assert_str_eq(parameters_get(&c->profiles[0]->fixed_parameters, "Site"), "1");
}
END_TEST

START_TEST(the_main_file_of_etc_hides_the_vendors)
{
        _cleanup_config_ Config *vendor = NULL, *run = NULL, *etc = NULL;

        fixture_write(USR, "[Daemon]\nMaxJobs=1\nMaxJobsPerUser=1\n");
        vendor = load_default();
        ck_assert_uint_eq(vendor->max_jobs, 1);
        fixture_write(RUN, "[Daemon]\nMaxJobs=2\n");
        run = load_default();
        ck_assert_uint_eq(run->max_jobs, 2);
        ck_assert_uint_eq(run->max_jobs_per_user, CONFIG_MAX_JOBS_PER_USER_DEFAULT);
        fixture_write(ETC, "");
        etc = load_default();
        ck_assert_uint_eq(etc->max_jobs, CONFIG_MAX_JOBS_DEFAULT);
}
END_TEST

START_TEST(drop_ins_of_all_folders_are_sorted_by_name)
{
        _cleanup_config_ Config *c = NULL;

        fixture_write(USR ".d/50-vendor.conf", "[Daemon]\nMaxJobs=1\nMaxJobsPerUser=1\n");
        fixture_write(ETC ".d/10-site.conf", "[Daemon]\nMaxJobs=2\nRetainSec=2\n");
        fixture_write(RUN ".d/60-run.conf", "[Daemon]\nMaxJobsPerUser=3\n");
        c = load_default();
        ck_assert_uint_eq(c->max_jobs, 1);
        ck_assert_uint_eq(c->max_jobs_per_user, 3);
        ck_assert_uint_eq(c->retain_usec, 2 * USEC_PER_SEC);
}
END_TEST

START_TEST(a_drop_in_masks_one_of_its_name)
{
        _cleanup_config_ Config *empty = NULL, *null = NULL, *replaced = NULL;
        const char *mask;

        fixture_write(USR ".d/50-vendor.conf", "[Daemon]\nMaxJobs=1\nMaxJobsPerUser=1\n");
        mask = fixture_write(ETC ".d/50-vendor.conf", "");
        empty = load_default();
        ck_assert_uint_eq(empty->max_jobs, CONFIG_MAX_JOBS_DEFAULT);
        ck_assert_int_eq(unlink(mask), 0);
        ck_assert_int_eq(symlink("/dev/null", mask), 0);
        null = load_default();
        ck_assert_uint_eq(null->max_jobs, CONFIG_MAX_JOBS_DEFAULT);
        ck_assert_int_eq(unlink(mask), 0);
        fixture_write(ETC ".d/50-vendor.conf", "[Daemon]\nMaxJobs=2\n");
        replaced = load_default();
        ck_assert_uint_eq(replaced->max_jobs, 2);
        ck_assert_uint_eq(replaced->max_jobs_per_user, CONFIG_MAX_JOBS_PER_USER_DEFAULT);
}
END_TEST

START_TEST(a_link_that_leads_nowhere_is_refused)
{
        _cleanup_free_ char *why = NULL;
        const char *path = fixture_write(ETC ".d/x.conf", "");

        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(symlink("/does/not/exist", path), 0);
        why = refused_default();
        assert_contains(why, "x.conf");
        assert_contains(why, "leads nowhere");
}
END_TEST

START_TEST(the_file_at_fault_is_named)
{
        _cleanup_free_ char *drop_in = NULL, *replaced = NULL;

        fixture_write(ETC, "[Daemon]\nMaxJobs=1\n");
        fixture_write(ETC ".d/a.conf", "\n\n[Daemon]\nMaxJobs=x\n");
        drop_in = refused_default();
        assert_contains(drop_in, "fleetprovd.conf.d/a.conf:4: [Daemon] MaxJobs=: ");
        /* A key that two files set is no duplicate; the last one is at fault. */
        fixture_write(ETC ".d/b.conf", "[Daemon]\nMaxJobs=y\n");
        replaced = refused_default();
        assert_contains(replaced, "fleetprovd.conf.d/b.conf:2: [Daemon] MaxJobs=: 'y'");
}
END_TEST

START_TEST(a_named_file_is_read_with_its_own_folder_alone)
{
        _cleanup_config_ Config *c = NULL;
        const char *path = fixture_write("my.conf", "[Daemon]\nMaxJobs=1\n");

        fixture_write("my.conf.d/b.conf", "[Daemon]\nMaxJobs=3\n");
        fixture_write("my.conf.d/a.conf", "[Daemon]\nMaxJobs=2\nBus=none\n");
        fixture_write("fleetprovd.conf.d/z.conf", "[Daemon]\nMaxJobs=9\n");
        ck_assert_int_eq(config_load(path, &c, NULL), 0);
        ck_assert_uint_eq(c->max_jobs, 3);
        ck_assert_str_eq(c->bus, "none");
        ck_assert_uint_eq(c->n_files, 3);
}
END_TEST

START_TEST(too_many_drop_ins_are_refused)
{
        _cleanup_free_ char *why = NULL;
        const char *folder = fixture_path(ETC ".d");

        fixture_write(ETC ".d/first.conf", "");
        for (size_t i = 0; i < CONFIG_DROP_INS_MAX; i++) {
                _cleanup_free_ char *path = NULL;

                ck_assert_int_ge(asprintf(&path, "%s/%zu.conf", folder, i), 0);
                ck_assert_int_eq(symlink("/dev/null", path), 0);
        }
        why = refused_default();
        assert_contains(why, "more than 256 drop-in files");
}
END_TEST

int main(void) {
        TCase *t = tcase_create("files");

        tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
        tcase_add_test(t, no_file_at_all_is_a_configuration);
        tcase_add_test(t, a_named_file_must_be_there);
        tcase_add_test(t, a_folder_is_no_file);
        tcase_add_test(t, later_drop_ins_replace_keys);
        tcase_add_test(t, a_profile_is_put_together_from_several_files);
        tcase_add_test(t, the_main_file_of_etc_hides_the_vendors);
        tcase_add_test(t, drop_ins_of_all_folders_are_sorted_by_name);
        tcase_add_test(t, a_drop_in_masks_one_of_its_name);
        tcase_add_test(t, a_link_that_leads_nowhere_is_refused);
        tcase_add_test(t, the_file_at_fault_is_named);
        tcase_add_test(t, a_named_file_is_read_with_its_own_folder_alone);
        tcase_add_test(t, too_many_drop_ins_are_refused);
        return suite_run("configuration files", t);
}
