from harness.case import Registry

registry = Registry("signals_at_start")
