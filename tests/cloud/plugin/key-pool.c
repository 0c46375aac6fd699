/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/key-pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <openssl/rsa.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/wake.h"

#define KEYS_AHEAD 8
#define KEY_BITS 2048
#define NICENESS 10

struct KeyPool {
        pthread_mutex_t lock;
        pthread_cond_t taken;
        pthread_t thread;
        EVP_PKEY *keys[KEYS_AHEAD];
        size_t n_keys;
        bool stop;
};

static void *key_maker(void *userdata) {
        KeyPool *pool = userdata;
        EVP_PKEY *key;

        /* On Linux the priority is the thread's alone. */
        (void) setpriority(PRIO_PROCESS, (id_t) syscall(SYS_gettid), NICENESS);

        pthread_mutex_lock(&pool->lock);
        for (;;) {
                while (!pool->stop && pool->n_keys == KEYS_AHEAD)
                        pthread_cond_wait(&pool->taken, &pool->lock);
                if (pool->stop)
                        break;
                pthread_mutex_unlock(&pool->lock);
                key = EVP_RSA_gen(KEY_BITS);
                pthread_mutex_lock(&pool->lock);
                if (key) {
                        pool->keys[pool->n_keys++] = key;
                        wake_broker();
                }
        }
        pthread_mutex_unlock(&pool->lock);
        return NULL;
}

int key_pool_new(KeyPool **ret) {
        KeyPool *pool = calloc(1, sizeof(*pool));
        sigset_t all, before;
        int r;

        if (!pool)
                return -ENOMEM;
        pthread_mutex_init(&pool->lock, NULL);
        pthread_cond_init(&pool->taken, NULL);
        /* Signals are the broker's thread's business. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&pool->thread, NULL, key_maker, pool);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r != 0) {
                free(pool);
                return -r;
        }
        *ret = pool;
        return 0;
}

KeyPool *key_pool_free(KeyPool *pool) {
        if (!pool)
                return NULL;
        pthread_mutex_lock(&pool->lock);
        pool->stop = true;
        pthread_cond_signal(&pool->taken);
        pthread_mutex_unlock(&pool->lock);
        pthread_join(pool->thread, NULL);
        for (size_t i = 0; i < pool->n_keys; i++)
                EVP_PKEY_free(pool->keys[i]);
        pthread_cond_destroy(&pool->taken);
        pthread_mutex_destroy(&pool->lock);
        free(pool);
        return NULL;
}

EVP_PKEY *key_pool_take(KeyPool *pool) {
        EVP_PKEY *key = NULL;

        pthread_mutex_lock(&pool->lock);
        if (pool->n_keys > 0) {
                key = pool->keys[--pool->n_keys];
                pthread_cond_signal(&pool->taken);
        }
        pthread_mutex_unlock(&pool->lock);
        return key;
}
