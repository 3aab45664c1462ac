// A parametric equaliser of four peaks with frequency, gain and Q (cookbook filters), for maps.
#define DISTRHO_PLUGIN_NAME "Test Equaliser"

#include "parameters.hpp"

#include <cmath>

START_NAMESPACE_DISTRHO

static const uint32_t kBands = 4;
#define BAND(n, freq)                                                                          \
    {"Band " n " Frequency", "freq" n, "Hz", 20.0f, 20000.0f, freq, kParameterIsLogarithmic},  \
    {"Band " n " Gain", "gain" n, "dB", -15.0f, 15.0f, 0.0f, 0},                               \
    {"Band " n " Q", "q" n, "", 0.2f, 8.0f, 0.7f, kParameterIsLogarithmic}
static const Row kRows[3 * kBands + 1] = {
    BAND("1", 100.0f), BAND("2", 500.0f), BAND("3", 2000.0f), BAND("4", 8000.0f),
    {"Output", "output", "dB", -24.0f, 24.0f, 0.0f, 0},
};

class Equaliser : public Tabled {
    double b0_[kBands], b1_[kBands], b2_[kBands], a1_[kBands], a2_[kBands];
    double state_[CHANNELS][kBands][2];

public:
    Equaliser() : Tabled(kRows, 3 * kBands + 1) {
        activate();
        for (uint32_t band = 0; band < kBands; ++band) design(band);
    }

protected:
    const char* getLabel() const override { return "TestEqualiser"; }
    int64_t getUniqueId() const override { return d_cconst('s', 'm', 'q', 'e'); }

    void design(uint32_t band) {
        const double rate = getSampleRate() > 0.0 ? getSampleRate() : 48000.0;
        const double freq = std::fmin(double(values_[3 * band]), 0.49 * rate);
        const double amp = std::pow(10.0, values_[3 * band + 1] / 40.0);
        const double w0 = 2.0 * 3.14159265358979323846 * freq / rate;
        const double alpha = std::sin(w0) / (2.0 * values_[3 * band + 2]);
        const double a0 = 1.0 + alpha / amp;
        b0_[band] = (1.0 + alpha * amp) / a0;
        b1_[band] = a1_[band] = -2.0 * std::cos(w0) / a0;
        b2_[band] = (1.0 - alpha * amp) / a0;
        a2_[band] = (1.0 - alpha / amp) / a0;
    }

    void changed(uint32_t index) override {
        if (index < 3 * kBands) design(index / 3);
    }

    void sampleRateChanged(double) override {
        for (uint32_t band = 0; band < kBands; ++band) design(band);
    }

    void activate() override {
        for (auto& channel : state_)
            for (auto& band : channel) band[0] = band[1] = 0.0;
    }

    void run(const float** in, float** out, uint32_t frames) override {
        const double gain = std::pow(10.0, values_[3 * kBands] / 20.0);
        for (uint32_t c = 0; c < CHANNELS; ++c)
            for (uint32_t i = 0; i < frames; ++i) {
                double x = in[c][i];
                for (uint32_t band = 0; band < kBands; ++band) {
                    double* const s = state_[c][band];
                    const double y = b0_[band] * x + s[0];
                    s[0] = b1_[band] * x - a1_[band] * y + s[1];
                    s[1] = b2_[band] * x - a2_[band] * y;
                    x = y;
                }
                out[c][i] = float(gain * x);
            }
    }
};

Plugin* createPlugin() { return new Equaliser(); }

END_NAMESPACE_DISTRHO

#include "DistrhoPluginMain.cpp"
