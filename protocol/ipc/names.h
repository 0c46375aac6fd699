/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names on the bus and on the sockets. The interfaces themselves are the XML files beside this. */

#define IPC_BUS_NAME "io.fleetprov.Provisioner1"
#define IPC_MANAGER_PATH "/io/fleetprov/Provisioner1"
#define IPC_PROFILE_PREFIX IPC_MANAGER_PATH "/profile"
#define IPC_JOB_PREFIX IPC_MANAGER_PATH "/job"
#define IPC_MANAGER_INTERFACE IPC_BUS_NAME ".Manager"
#define IPC_PROFILE_INTERFACE IPC_BUS_NAME ".Profile"
#define IPC_JOB_INTERFACE IPC_BUS_NAME ".Job"
#define IPC_ERROR_PREFIX IPC_BUS_NAME ".Error."

#define IPC_DEFAULT_SOCKET "/run/fleetprovd/fleetprovd.sock"
