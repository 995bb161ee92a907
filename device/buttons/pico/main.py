"""What MicroPython starts at power-on."""

import panel

panel.run()
