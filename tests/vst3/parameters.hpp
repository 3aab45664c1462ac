// A table of parameters, and the plugin that holds their values: what all test plugins share.
#pragma once

#include "DistrhoPlugin.hpp"

START_NAMESPACE_DISTRHO

struct Row {
    const char* name;
    const char* symbol;
    const char* unit;
    float low, high, usual;
    uint32_t hints;
};

class Tabled : public Plugin {
public:
    Tabled(const Row* rows, uint32_t count) : Plugin(count, 0, 0), rows_(rows), count_(count) {
        for (uint32_t i = 0; i < count_; ++i) values_[i] = rows_[i].usual;
    }

protected:
    static const uint32_t kMost = 24;
    const Row* const rows_;
    const uint32_t count_;
    float values_[kMost];

    virtual void changed(uint32_t) {}

    const char* getMaker() const override { return "semeq tests"; }
    const char* getLicense() const override { return "Apache-2.0"; }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }

    void initParameter(uint32_t index, Parameter& parameter) override {
        const Row& row = rows_[index];
        parameter.hints = kParameterIsAutomatable | row.hints;
        parameter.name = row.name;
        parameter.symbol = row.symbol;
        parameter.unit = row.unit;
        parameter.ranges.min = row.low;
        parameter.ranges.max = row.high;
        parameter.ranges.def = row.usual;
    }

    float getParameterValue(uint32_t index) const override { return values_[index]; }

    void setParameterValue(uint32_t index, float value) override {
        values_[index] = value;
        changed(index);
    }
};

END_NAMESPACE_DISTRHO
