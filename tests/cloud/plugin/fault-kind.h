/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What each kind of fault is called, what value it takes, and what it can strike. */

#include "tests/cloud/plugin/fault.h"

typedef enum FaultValue {
        VALUE_NONE,
        VALUE_NUMBER,
        VALUE_NUMBER_OR_NONE,
        VALUE_TEXT,
        VALUE_TEXT_OR_NONE,
        VALUE_REJECTION,
        VALUE_CONFIGURATION,
        VALUE_HEX,
} FaultValue;

typedef struct FaultInfo {
        const char *name;
        FaultScope scope;
        FaultValue value;
} FaultInfo;

const FaultInfo *fault_info(FaultKind kind);

/* FAULT_MAX: there is none of that name. */
FaultKind fault_kind_from_string(const char *name);

/* Checks fault->value against its kind, and fills number, status, code and message from it. NULL,
 * or what is wrong with it. */
const char *fault_parse_value(Fault *fault);
