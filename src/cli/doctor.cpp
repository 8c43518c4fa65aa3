#include "plumbline/doctor/doctor.hpp"

#include <algorithm>

#include "output.hpp"
#include "plumbline/io/namespace.hpp"
#include "verbs.hpp"

namespace plumbline::cli {

int doctor(const Options& options) {
  if (!options.netns.empty()) io::enter_namespace(options.netns);
  doctor::Examination examination;
  examination.backend = io::parse_backend(options.iptables).value_or(io::Backend::automatic);
  const std::vector<doctor::Finding> findings = doctor::examine(examination);
  print(renderer(options)->findings(findings));
  const bool problem = std::ranges::any_of(
      findings, [](const auto& finding) { return finding.level == doctor::Level::problem; });
  return problem ? exit_error : exit_done;
}

}  // namespace plumbline::cli
