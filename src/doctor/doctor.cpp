#include "plumbline/doctor/doctor.hpp"

#include "parts.hpp"

namespace plumbline::doctor {

std::string_view format(Level level) {
  switch (level) {
    case Level::ok:
      return "ok";
    case Level::warning:
      return "warning";
    case Level::problem:
      return "problem";
  }
  return {};
}

std::vector<Finding> examine(const Examination& examination) {
  Findings findings;
  examine_host(examination, findings);
  examine_firewall(examination, findings);
  examine_neighbours(examination, findings);
  return findings;
}

}  // namespace plumbline::doctor
