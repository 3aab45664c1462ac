// Everything a plugin should not do, each on request: crash, sleep, return what is no number, hum.
#define DISTRHO_PLUGIN_NAME "Test Rogue"

#include "parameters.hpp"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

START_NAMESPACE_DISTRHO

enum { kCrash, kSleep, kNan, kHum, kParameters };
static const Row kRows[kParameters] = {
    {"Crash", "crash", "", 0.0f, 1.0f, 0.0f, kParameterIsBoolean},
    {"Sleep", "sleep", "ms", 0.0f, 10000.0f, 0.0f, 0},
    {"Not A Number", "nan", "", 0.0f, 1.0f, 0.0f, kParameterIsBoolean},
    {"Hum", "hum", "", 0.0f, 1.0f, 0.0f, 0},
};

class Rogue : public Tabled {
    uint32_t at_;

public:
    Rogue() : Tabled(kRows, kParameters), at_(0) {}

protected:
    const char* getLabel() const override { return "TestRogue"; }
    int64_t getUniqueId() const override { return d_cconst('s', 'm', 'q', 'r'); }

    void run(const float** in, float** out, uint32_t frames) override {
        if (values_[kCrash] > 0.5f) std::abort();
        if (values_[kSleep] > 0.0f)
            std::this_thread::sleep_for(std::chrono::microseconds(int64_t(1000.0f * values_[kSleep])));
        const float bad = std::numeric_limits<float>::quiet_NaN();
        for (uint32_t i = 0; i < frames; ++i, ++at_)
            for (uint32_t c = 0; c < CHANNELS; ++c) {
                out[c][i] = in[c][i] + values_[kHum] * std::sin(0.01f * float(at_ % 100000));
                if (values_[kNan] > 0.5f) out[c][i] = bad;
            }
    }
};

Plugin* createPlugin() { return new Rogue(); }

END_NAMESPACE_DISTRHO

#include "DistrhoPluginMain.cpp"
