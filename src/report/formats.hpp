// The makers of renderers, one source each: report.cpp has the table of them.

#pragma once

#include "plumbline/report/report.hpp"

namespace plumbline::report {

[[nodiscard]] std::unique_ptr<Renderer> make_text(Style style);
[[nodiscard]] std::unique_ptr<Renderer> make_json(Style style);

}  // namespace plumbline::report
