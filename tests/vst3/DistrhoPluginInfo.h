// What DPF wants to know about each test plugin; the sources define the rest before they include DPF.
#pragma once

#ifndef CHANNELS
#define CHANNELS 2
#endif
#define DISTRHO_PLUGIN_BRAND "semeq"
#define DISTRHO_PLUGIN_URI "https://semeq.example/tests/" DISTRHO_PLUGIN_NAME
#define DISTRHO_PLUGIN_NUM_INPUTS CHANNELS
#define DISTRHO_PLUGIN_NUM_OUTPUTS CHANNELS
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_WANT_LATENCY 1
