// A gain that delays: by what it reports, plus, on request, by some frames that it keeps to itself.
#ifndef DISTRHO_PLUGIN_NAME
#define DISTRHO_PLUGIN_NAME "Test Gain"
#define UNIQUE d_cconst('s', 'm', 'q', 'g')
#endif

#include "parameters.hpp"

#include <cmath>
#include <vector>

START_NAMESPACE_DISTRHO

static const uint32_t kLongest = 8192;
enum { kGain, kLatency, kHidden, kParameters };
static const Row kRows[kParameters] = {
    {"Gain", "gain", "dB", -60.0f, 24.0f, 0.0f, 0},
    {"Reported Delay", "reported", "frames", 0.0f, 4096.0f, 0.0f, kParameterIsInteger},
    {"Hidden Delay", "hidden", "frames", 0.0f, 4096.0f, 0.0f, kParameterIsInteger},
};

class Gain : public Tabled {
    std::vector<float> past_;
    uint32_t at_;

public:
    Gain() : Tabled(kRows, kParameters), past_(kLongest * CHANNELS), at_(0) {}

protected:
    const char* getLabel() const override { return "TestGain"; }
    int64_t getUniqueId() const override { return UNIQUE; }

    void changed(uint32_t index) override {
        if (index == kLatency) setLatency(uint32_t(values_[kLatency]));
    }

    void activate() override { past_.assign(past_.size(), 0.0f); }

    void run(const float** in, float** out, uint32_t frames) override {
        const float gain = std::pow(10.0f, values_[kGain] / 20.0f);
        const uint32_t delay = uint32_t(values_[kLatency]) + uint32_t(values_[kHidden]);
        for (uint32_t i = 0; i < frames; ++i, at_ = (at_ + 1) % kLongest)
            for (uint32_t c = 0; c < CHANNELS; ++c) {
                past_[at_ * CHANNELS + c] = in[c][i];
                out[c][i] = gain * past_[((at_ + kLongest - delay) % kLongest) * CHANNELS + c];
            }
    }
};

Plugin* createPlugin() { return new Gain(); }

END_NAMESPACE_DISTRHO

#include "DistrhoPluginMain.cpp"
