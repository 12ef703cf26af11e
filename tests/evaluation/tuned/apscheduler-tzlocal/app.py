from apscheduler.schedulers.background import BackgroundScheduler

scheduler = BackgroundScheduler()
scheduler.add_job(print, "interval", hours=1)
scheduler.start(paused=True)
scheduler.shutdown()
